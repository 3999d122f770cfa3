import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { logSuite, runSuite } from "@ramekin/conformance";
import { test } from "vitest";
import { folderLog } from "../src/index.ts";

/** Over an empty directory, which goes with it. */
async function fresh() {
  const root = await mkdtemp(join(tmpdir(), "ramekin-log-folder-"));
  return { ...folderLog(root), [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }) };
}

runSuite(test, logSuite, { create: fresh });
