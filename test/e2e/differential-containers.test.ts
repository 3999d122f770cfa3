import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { dockerDaemon, noDocker } from "../support/docker.ts";
import { busyboxImage, command, needs, useKitchen } from "../support/index.ts";
import { differences } from "./differential-containers/differences.ts";
import { lines } from "./differential-containers/lines.ts";

// dockerd takes four times as long as we do: CI holds our answers against its recorded ones. RAMEKIN_DIFFERENTIAL=live asks it again,
// RAMEKIN_DIFFERENTIAL=record writes down what it says.
const mode = process.env["RAMEKIN_DIFFERENTIAL"];
const live = mode === "live" || mode === "record";
const absent = live ? noDocker : undefined;
const file = join(import.meta.dirname, "differential-containers/docker.json");
const recorded: Record<string, string> = JSON.parse(readFileSync(file, "utf8"));

const here = useKitchen(async () => ({ images: [await busyboxImage()] }), absent);
needs(absent);
let docker: Awaited<ReturnType<typeof dockerDaemon>> | undefined;

beforeAll(async () => {
  if (live && absent === undefined) docker = await dockerDaemon();
});
afterAll(async () => {
  await docker?.[Symbol.asyncDispose]();
  if (mode === "record") await writeFile(file, `${JSON.stringify(recorded, undefined, 2)}\n`);
});

interface Engine {
  readonly name: string;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

async function answer({ name, argv, env }: Engine, script: string): Promise<string> {
  const folder = await mkdtemp(join(here().folder, `${name}-`));
  const words = argv.join(" ");
  const shell = { E: words, R: `${words} run --network none`, C: `${words} create --network none`, D: folder };
  const { stdout, code } = await command(["sh", "-c", script], { env: { ...env, ...shell }, cwd: folder, timeout: 60_000 });
  // Whatever of these there is; which there is, is part of no answer.
  await command([...argv, "rm", "--force", "--volumes", "cc", "c1", "c2"], { env });
  await rm(folder, { recursive: true });
  // Ids, long and short, are each engine's own.
  return `${stdout.replace(/\b[0-9a-f]{64}\b|\b(?=[0-9a-f]*[a-f])(?=[0-9a-f]*\d)[0-9a-f]{12}\b/g, "ID")}exit code ${code}\n`;
}

const rows: readonly (readonly [pattern: RegExp, row: string])[] = [
  [/^(?:run|view)/, "CTR-2"],
  [/^exec/, "CTR-3"],
  [/^attach/, "CTR-4"],
  [/^restart policy/, "CTR-5"],
  [/^health/, "CTR-6"],
  [/^(?:cp|diff|export|top|port|stats)/, "CTR-8"],
  [/^logs/, "CTR-9"],
  [/^volume/, "VOL-1"],
  [/^events/, "OBS-2"],
  [/^/, "CTR-1"],
];
const rowOf = (name: string) => rows.find(([pattern]) => pattern.test(name))?.[1];

test.each(Object.entries(lines).map(([name, script]) => [rowOf(name), name, script] as const))(
  "[%s] as docker has it: %s",
  async (_, name, script) => {
    const asked = docker && answer({ name: "docker", argv: docker.command, env: { TMPDIR: here().folder } }, script);
    const ours = await answer({ name: "ramekin", argv: here().command, env: here().env }, script);
    const theirs = (await asked) ?? recorded[name];
    if (mode === "record" && theirs !== undefined) recorded[name] = theirs;
    if (Object.hasOwn(differences, name)) expect(ours, "a difference that is none any more").not.toBe(theirs);
    else expect(ours).toBe(theirs);
  },
);

test("every listed difference and every recorded answer is one of a line that there is", () => {
  expect([...Object.keys(differences), ...Object.keys(recorded)].filter((name) => !Object.hasOwn(lines, name))).toEqual([]);
});
