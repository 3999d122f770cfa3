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
        capabilities: { userNamespace: true, limits: true, devices: true },
        init: nativeProgram("ramekin-init"),
      }),
  });

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
