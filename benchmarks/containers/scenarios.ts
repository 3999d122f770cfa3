import { readFileSync } from "node:fs";
import { type Contender, percentile } from "../contender.ts";
import { all, contending, engines } from "./contenders.ts";
import type { ContainerEngine } from "./engine.ts";

interface Scenario {
  readonly title: string;
  readonly contenders: readonly Contender[];
  readonly against: readonly string[];
  /** How many containers one measured run is about. */
  readonly count?: number;
}

const against = ["crun", "podman+crun", "docker"];
const names = (count: number) => Array.from({ length: count }, (_, number) => `bench-${number}`);

/** Create → exit of `true` → gone, network none. */
export const run = (): Scenario[] => [
  { title: "run: create → exit of true → gone, network none", contenders: contending(engines(), (engine) => engine.run()), against },
];

export const exec = (): Scenario[] => [
  {
    title: "exec: true in a container that runs",
    contenders: contending(
      engines(),
      (engine) => engine.exec("bench"),
      (engine) => engine.start("bench"),
    ),
    against,
  },
];

/** One more container than asked for is nobody's: `counts` of them, created. */
export const ps = (counts: readonly number[]): Scenario[] =>
  counts.map((count) => ({
    title: `ps: all of ${count} containers`,
    contenders: contending(
      engines().filter(({ list }) => list),
      async (engine) => engine.list?.(),
      (engine) => all(names(count), 2, async (name) => engine.create?.(name)),
    ),
    against: ["podman+crun", "docker"],
  }));

export const throughput = (counts: readonly number[]): Scenario[] =>
  counts.map((atOnce) => {
    const count = 8 * Math.max(2, atOnce / 2);
    return {
      title: `throughput: ${count} containers, ${atOnce} at once`,
      contenders: contending(engines(), (engine) => all(names(count), atOnce, () => engine.run())),
      against,
      count,
    };
  });

/** What waits beside an idle container: PSS of the parents of their first processes, by container. */
export async function density(counts: readonly number[]): Promise<void> {
  for (const count of counts) {
    console.log(`density: memory that waits beside each of ${count} idle containers (PSS), kB; daemons are not counted`);
    for (const engine of engines()) {
      if (engine.absent !== undefined) {
        console.log(`${engine.name}: not measured: ${engine.absent}`);
        continue;
      }
      console.log(`${engine.name.padEnd(20)} ${await besideEach(engine, count)}`);
    }
  }
}

async function besideEach(engine: ContainerEngine, count: number): Promise<string> {
  await engine.open();
  try {
    await all(names(count), 2, (name) => engine.start(name));
    await new Promise((resolve) => setTimeout(resolve, 1000)); // they come to rest
    const pids = await Promise.all(names(count).map((name) => engine.pid(name)));
    const parents = pids.map(parentOf).filter((pid) => pid > 1 && pid !== process.pid);
    if (parents.length === 0) return "-  nothing waits";
    return `${Math.round(percentile(parents.map(proportional), 0.5))}`;
  } finally {
    await engine.close();
  }
}

function parentOf(pid: number): number {
  return Number(/^PPid:\s*(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
}

/** kB; what several share counts in parts. */
function proportional(pid: number): number {
  return Number(/^Pss:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1] ?? Number.NaN);
}
