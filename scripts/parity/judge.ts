import type { TestResult } from "../vitest-reporter.ts";
import type { Declared } from "./declared.ts";

export interface Feature {
  readonly id: string;
  readonly area: string;
  readonly feature: string;
  readonly tier: string;
  readonly goal: string;
}
interface Flag {
  readonly long: string;
  readonly short?: string;
  readonly arg?: string;
}
/** `flags.json`: what docker and podman have. */
export interface FlagTable {
  readonly docker: { readonly version: string; readonly verbs: Readonly<Record<string, { readonly flags: readonly Flag[] }>> };
  readonly podman_extra: { readonly version: string; readonly verbs: Readonly<Record<string, readonly Flag[]>> };
}
/** `claims.json`: rows that are claimed, and for rows that are claimed in part, what is not there. */
export interface Claims {
  readonly rows: readonly string[];
  readonly notes: Readonly<Record<string, string>>;
}

export interface Proof {
  readonly features: readonly Feature[];
  readonly flags: FlagTable;
  readonly claims: Claims;
  readonly declared: Declared;
  readonly results: readonly TestResult[];
}

export interface Row {
  readonly id: string;
  readonly title: string;
  readonly group: string;
  readonly supported: boolean;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly note?: string;
}

export interface Verdict {
  readonly features: readonly Row[];
  readonly flags: readonly Row[];
  readonly problems: string[];
  readonly summary: string;
}

const featureId = /^[A-Z]{2,3}-\d+$/;
const flagId = /^[a-z][a-z -]*? --[a-z0-9-]+$/;

/** Test name to the ids it carries: `[CTR-7] [run --rm] leaves nothing`. */
export function idsIn(name: string): string[] {
  return [...name.matchAll(/\[([^\]]+)\]/g)].flatMap(([, id = ""]) => (featureId.test(id) || flagId.test(id) ? [id] : []));
}

/** Holds what is claimed against what was proven. */
export function judge({ features, flags, claims, declared, results }: Proof): Verdict {
  const problems: string[] = [];
  const byId = new Map<string, TestResult[]>();
  for (const result of results) for (const id of idsIn(result.name)) byId.set(id, [...(byId.get(id) ?? []), result]);

  const row = (id: string, title: string, group: string, supported: boolean, note?: string, first = id): Row => {
    const tests = [...(byId.get(id) ?? []), ...(first === id ? [] : (byId.get(first) ?? []))];
    const count = (state: TestResult["state"]) => tests.filter((test) => test.state === state).length;
    const counted = { passed: count("passed"), failed: count("failed"), skipped: count("skipped") };
    if (supported && (counted.passed === 0 || counted.failed > 0)) {
      problems.push(
        `${id} is claimed, but ${counted.failed > 0 ? `${counted.failed} of its tests fail` : "no passing test carries its id"}`,
      );
    }
    return { id, title, group, supported, ...counted, ...(note !== undefined && { note }) };
  };

  const claimed = new Set(claims.rows);
  const featureRows = features.map(({ id, feature, area }) => row(id, feature, area, claimed.has(id), claims.notes[id]));

  const known = new Map<string, { group: string; title: string }>();
  for (const [verb, { flags: list }] of Object.entries(flags.docker.verbs)) {
    for (const { long, arg } of list) known.set(`${verb} --${long}`, { group: verb, title: `docker${arg ? `, ${arg}` : ""}` });
  }
  for (const [verb, list] of Object.entries(flags.podman_extra.verbs)) {
    for (const { long, arg } of list)
      if (!known.has(`${verb} --${long}`)) known.set(`${verb} --${long}`, { group: verb, title: `podman${arg ? `, ${arg}` : ""}` });
  }
  for (const [verb, names] of declared.flags) {
    for (const long of names) if (!known.has(`${verb} --${long}`)) known.set(`${verb} --${long}`, { group: verb, title: "ours" });
  }
  const flagRows = [...known].map(([id, { group, title }]) => {
    const verb = declared.aliases.get(group) ?? group;
    const long = id.slice(group.length + 3);
    return row(id, title, group, declared.flags.get(verb)?.includes(long) ?? false, undefined, `${verb} --${long}`);
  });

  const ids = new Set([...features.map(({ id }) => id), ...known.keys()]);
  for (const id of byId.keys()) if (!ids.has(id)) problems.push(`a test carries the id ${id}, which does not exist`);
  for (const id of claimed) if (!ids.has(id)) problems.push(`claims.json claims ${id}, which does not exist`);

  const have = (rows: readonly Row[]) => `${rows.filter(({ supported }) => supported).length} of ${rows.length}`;
  return {
    features: featureRows,
    flags: flagRows,
    problems,
    summary: `${have(featureRows)} rows claimed, ${have(flagRows)} flags declared`,
  };
}
