// `pnpm bench SCENARIO [--rounds N] [--idle MS] [--json FILE]`
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { measure } from "./contender.ts";
import { enterNamespace } from "./namespace.ts";
import { absences, table } from "./report.ts";

enterNamespace();

const scenarios = { start: () => import("./start/scenario.ts") };

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: "string", default: "15" }, idle: { type: "string", default: "150" }, json: { type: "string" } },
});
const name = positionals[0] ?? "start";
if (!(name in scenarios)) {
  console.error(`bench: no scenario ${name}; there are: ${Object.keys(scenarios).join(", ")}`);
  process.exit(1);
}
const { contenders, against, title } = await (await scenarios[name as keyof typeof scenarios]()).scenario();
console.log(`${title}; ${values.rounds} rounds, interleaved, ${values.idle} ms of quiet before each`);
const measurements = await measure(contenders, { rounds: Number(values.rounds), idle: Number(values.idle) });
console.log(table(measurements, against));
const missing = absences(contenders);
if (missing) console.log(missing);
if (values.json) writeFileSync(values.json, `${JSON.stringify(measurements, undefined, 1)}\n`);
