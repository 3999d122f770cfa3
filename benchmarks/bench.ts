// `pnpm bench SCENARIO [--rounds N] [--idle MS] [--image NAME] [--json FILE]`
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { type Measurement, measure } from "./contender.ts";
import { enterNamespace } from "./namespace.ts";
import { absences, table } from "./report.ts";

enterNamespace();

const scenarios = {
  start: async () => [await (await import("./start/scenario.ts")).scenario()],
  pull: async () => (await import("./transfer/pull.ts")).scenario(values.image),
  push: async () => (await import("./transfer/push.ts")).scenario(values.image),
  save: async () => (await import("./transfer/save.ts")).scenario(values.image),
  load: async () => (await import("./transfer/load.ts")).scenario(values.image),
  unpack: async () => (await import("./transfer/unpack.ts")).scenario(values.image),
};

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: "string" },
    idle: { type: "string", default: "150" },
    /** One of the images of a transfer; all when absent. */
    image: { type: "string" },
    json: { type: "string" },
  },
});
const name = positionals[0] ?? "start";
if (!(name in scenarios)) {
  console.error(`bench: no scenario ${name}; there are: ${Object.keys(scenarios).join(", ")}`);
  process.exit(1);
}
const rounds = Number(values.rounds ?? (name === "start" ? 15 : 5));
const all: Record<string, readonly Measurement[]> = {};
for (const { contenders, against, title } of await scenarios[name as keyof typeof scenarios]()) {
  console.log(`${title}; ${rounds} rounds, interleaved, ${values.idle} ms of quiet before each`);
  const measurements = await measure(contenders, { rounds, idle: Number(values.idle) });
  console.log(table(measurements, against));
  const missing = absences(contenders);
  if (missing) console.log(missing);
  all[title] = measurements;
}
if (values.json) writeFileSync(values.json, `${JSON.stringify(all, undefined, 1)}\n`);
