import { randomUUID } from "node:crypto";
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

/** Everything that the run makes lies in one folder, so that what it leaves can be told from what others do meanwhile. */
export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  provide("before", await machineState());
  const folder = `/var/tmp/ramekin-test-${randomUUID()}`;
  await mkdir(folder);
  process.env["RAMEKIN_TEST_FOLDER"] = folder;
  process.env["TMPDIR"] = folder;
  provide("folder", folder);
  return async () => {
    const left = await readdir(folder);
    await rm(folder, { recursive: true, force: true });
    if (left.length > 0) process.stderr.write(`left in ${folder}: ${left.join(" ")}\n`);
  };
}
