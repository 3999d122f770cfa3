import { randomBytes } from "node:crypto";
import { mkdir, readdir, rm } from "node:fs/promises";
import type { TestProject } from "vitest/node";
import { type MachineState, machineState } from "./machine.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Before the first test. */
    before: MachineState;
    /** Holds every kitchen of this run. */
    folder: string;
  }
}

/**
 * Everything that the run makes lies in one folder, so that what it leaves can be told from what others do meanwhile.
 * It is called for each project of one run, in one process: the first call makes the folder, and takes it away at the end.
 */
export default async function setup({ provide }: TestProject): Promise<(() => Promise<void>) | undefined> {
  const known = process.env["RAMEKIN_TEST_BEFORE"];
  const before: MachineState = known === undefined ? await machineState() : JSON.parse(known);
  const folder = process.env["RAMEKIN_TEST_FOLDER"] ?? `/var/tmp/ramekin-test-${randomBytes(4).toString("hex")}`;
  provide("before", before);
  provide("folder", folder);
  if (known !== undefined) return undefined;
  await mkdir(folder);
  Object.assign(process.env, { RAMEKIN_TEST_BEFORE: JSON.stringify(before), RAMEKIN_TEST_FOLDER: folder, TMPDIR: folder });
  return async () => {
    const left = await readdir(folder);
    await rm(folder, { recursive: true, force: true });
    if (left.length > 0) process.stderr.write(`left in ${folder}: ${left.join(" ")}\n`);
  };
}
