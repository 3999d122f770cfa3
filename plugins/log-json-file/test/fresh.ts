import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LogDriver } from "@ramekin/core";
import { type FileLogOptions, jsonFileLog } from "../src/index.ts";

/** Over an empty directory, which goes with it. */
export async function freshLog(make: (options: FileLogOptions) => LogDriver = jsonFileLog): Promise<LogDriver & AsyncDisposable> {
  const root = await mkdtemp(join(tmpdir(), "ramekin-log-"));
  return { ...make({ root }), [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }) };
}
