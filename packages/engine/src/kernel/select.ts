import { type Kind, RamekinError, type Selector, type Support } from "@ramekin/core";
import type { Registered, Registry } from "./registry.ts";

/** What somebody has asked for, and where: the place goes into the message when the wish cannot be met. */
export interface Preference {
  readonly names: readonly string[];
  readonly from: string;
}

export interface Selection {
  readonly registry: Registry;
  /** Memoised by the caller: a probe runs once per kernel. */
  probe(candidate: Registered): Promise<Support>;
  preference(kind: Kind): Promise<Preference | undefined>;
}

/**
 * One extension of a kind: by name; else as preferred (flag, environment, configuration); else the best rank among those
 * whose probe says yes, the earlier plugin among equals.
 * An unknown name is NOT_FOUND; a known one that does not work here, or no candidate at all, is UNSUPPORTED, with each reason.
 */
export async function select<K extends Kind>(kind: K, which: Selector<K>, selection: Selection): Promise<Registered<K>> {
  if (which.name !== undefined) return named(kind, which.name, which.for, "", selection);

  const candidates = selection.registry.of(kind).filter(({ provider }) => which.for === undefined || provider.for === which.for);
  const preference = await selection.preference(kind);
  if (preference) {
    const serving = preference.names.find((name) => which.for === undefined || candidates.some((candidate) => candidate.name === name));
    if (serving !== undefined) return named(kind, serving, which.for, ` (from ${preference.from})`, selection);
  }

  const best = await bestOf(candidates, selection);
  if (best) return best;
  const subject = which.for === undefined ? kind : `${kind} for ${which.for}`;
  throw new RamekinError("UNSUPPORTED", candidates.length === 0 ? `no plugin provides ${subject}` : `no driver of ${subject} works here`, {
    errors: await Promise.all(candidates.map((candidate) => refusal(candidate, selection))),
    hint: candidates.length === 0 ? "add a plugin that does" : "`ramekin doctor` says why, and what to install",
  });
}

/** Asks those together that may have the same rank, the best first, and nobody who cannot beat what was found: a start pays for every probe. */
async function bestOf<K extends Kind>(candidates: readonly Registered<K>[], selection: Selection): Promise<Registered<K> | undefined> {
  const limits = candidates.map(({ provider }) => provider.maxRank ?? Number.POSITIVE_INFINITY);
  let best: { readonly candidate: Registered<K>; readonly rank: number } | undefined;
  for (const limit of [...new Set(limits)].sort((a, b) => b - a)) {
    if (best && limit <= best.rank) break;
    const found = await ranked(
      candidates.filter((_, index) => limits[index] === limit),
      selection,
    );
    if (found[0] && (!best || found[0].rank > best.rank)) best = found[0];
  }
  return best?.candidate;
}

/** Those that work here, best first. */
export async function supported<K extends Kind>(
  candidates: readonly Registered<K>[],
  selection: Selection,
): Promise<readonly Registered<K>[]> {
  return (await ranked(candidates, selection)).map(({ candidate }) => candidate);
}

async function ranked<K extends Kind>(candidates: readonly Registered<K>[], selection: Selection) {
  const probed = await Promise.all(candidates.map(async (candidate) => ({ candidate, support: await selection.probe(candidate) })));
  return probed
    .flatMap(({ candidate, support }) => (support.ok ? [{ candidate, rank: support.rank ?? 0 }] : []))
    .sort((a, b) => b.rank - a.rank);
}

async function named<K extends Kind>(
  kind: K,
  name: string,
  subject: unknown,
  origin: string,
  selection: Selection,
): Promise<Registered<K>> {
  const found = selection.registry.find(kind, name);
  if (!found || (subject !== undefined && found.provider.for !== subject)) {
    const known = selection.registry.of(kind).map((other) => other.name);
    throw new RamekinError("NOT_FOUND", `no ${kind} driver is named ${name}${origin}`, {
      hint: known.length > 0 ? `known: ${known.join(", ")}` : `no plugin provides ${kind}`,
    });
  }
  const support = await selection.probe(found);
  if (support.ok) return found;
  throw new RamekinError("UNSUPPORTED", `${kind} driver ${name}${origin} does not work here: ${support.reason}`, {
    ...(support.hint !== undefined && { hint: support.hint }),
  });
}

async function refusal(candidate: Registered, { probe }: Selection): Promise<RamekinError> {
  const support = await probe(candidate);
  const reason = support.ok ? "supported" : support.reason;
  return new RamekinError("UNSUPPORTED", `${candidate.name}: ${reason}`, {
    ...(!support.ok && support.hint !== undefined && { hint: support.hint }),
  });
}
