// `pnpm bench SCENARIO [--rounds N] [--idle MS] [--image NAME] [--recipe NAME] [--counts N,…] [--json FILE]`
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { type Contender, type Measurement, measure } from "./contender.ts";
import { enterNamespace } from "./namespace.ts";
import { absences, table } from "./report.ts";

enterNamespace();

interface Scenario {
  readonly title: string;
  readonly contenders: readonly Contender[];
  readonly against: readonly string[];
  readonly count?: number;
}

const containers = () => import("./containers/scenarios.ts");

const scenarios: Readonly<Record<string, () => Promise<readonly Scenario[]>>> = {
  run: async () => (await containers()).run(),
  exec: async () => (await containers()).exec(),
  ps: async () => (await containers()).ps(counts([1, 10, 100, 1000])),
  throughput: async () => (await containers()).throughput(counts([1, 2, 8])),
  density: async () => {
    await (await containers()).density(counts([10]));
    return [];
  },
  start: async () => [await (await import("./start/scenario.ts")).scenario()],
  pull: async () => (await import("./transfer/pull.ts")).scenario(values.image),
  push: async () => (await import("./transfer/push.ts")).scenario(values.image),
  save: async () => (await import("./transfer/save.ts")).scenario(values.image),
  load: async () => (await import("./transfer/load.ts")).scenario(values.image),
  build: async () => (await import("./build/scenario.ts")).scenario(values.recipe),
  unpack: async () => (await import("./transfer/unpack.ts")).scenario(values.image),
};

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: "string" },
    idle: { type: "string", default: "150" },
    /** One of the images of a transfer; all when absent. */
    image: { type: "string" },
    /** One of what `build` builds; all when absent. */
    recipe: { type: "string" },
    /** How many containers: of `ps` and `density` there are, and of `throughput` at once. */
    counts: { type: "string" },
    json: { type: "string" },
  },
});
const counts = (fallback: readonly number[]) => values.counts?.split(",").map(Number) ?? fallback;
const name = positionals[0] ?? "start";
const scenario = Object.hasOwn(scenarios, name) ? scenarios[name] : undefined;
if (!scenario) {
  console.error(`bench: no scenario ${name}; there are: ${Object.keys(scenarios).join(", ")}`);
  process.exit(1);
}
const rounds = Number(values.rounds ?? (name === "start" ? 15 : 5));
const all: Record<string, readonly Measurement[]> = {};
for (const { contenders, against, title, count } of await scenario()) {
  console.log(`${title}; ${rounds} rounds, interleaved, ${values.idle} ms of quiet before each`);
  const measurements = await measure(contenders, { rounds, idle: Number(values.idle) });
  console.log(table(measurements, against, count));
  const missing = absences(contenders);
  if (missing) console.log(missing);
  all[title] = measurements;
}
if (values.json) writeFileSync(values.json, `${JSON.stringify(all, undefined, 1)}\n`);
