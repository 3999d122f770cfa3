import { execFileSync } from "node:child_process";
import { busyboxFixture, cannotIsolate, isolationSuite, runSuite } from "@ramekin/conformance";
import { isRamekinError } from "@ramekin/core";
import { nativeProgram } from "@ramekin/native";
import { test } from "vitest";
import { findRuntime, ociIsolation } from "../src/index.ts";

const runtime = findRuntime({ runtime: process.env["RAMEKIN_OCI_RUNTIME"], path: process.env["PATH"] ?? "" });
const reason = cannotIsolate() ?? nativeMissing() ?? (runtime.ok ? undefined : runtime.reason);

if (reason !== undefined || !runtime.ok) test(`isolation: the suite [${reason}]`, ({ skip }) => skip(reason ?? ""));
else
  runSuite(test, isolationSuite, {
    create: () =>
      busyboxFixture({
        create: (directory) => ociIsolation({ directory, shim: nativeProgram("ramekin-shim"), runtime: runtime.path }),
        // Time namespaces came with runtime spec 1.1, which runc knows from 1.2 on.
        capabilities: { userNamespace: true, limits: true, devices: true, supervision: true },
        init: nativeProgram("ramekin-init"),
      }),
    skip: knownDefects(runtime.path),
  });

/** Of the runtime, not ours to mend. */
function knownDefects(path: string): Readonly<Record<string, string>> {
  const version = /^runc version 1\.[01]\./.exec(execFileSync(path, ["--version"], { encoding: "utf8" }))?.[0];
  return version === undefined ? {} : { "no tunnel device opens (runc before 1.2 let it through)": `${version}x lets 10:200 through` };
}

function nativeMissing(): string | undefined {
  try {
    nativeProgram("ramekin-shim");
    nativeProgram("ramekin-init");
  } catch (error) {
    if (!isRamekinError(error)) throw error;
    return error.message;
  }
  return undefined;
}
