import { type BusyboxOptions, busyboxFixture, cannotIsolate } from "@ramekin/conformance";
import { isRamekinError } from "@ramekin/core";
import { nativeProgram } from "@ramekin/native";
import { linuxIsolation } from "../src/index.ts";

/** Why this machine cannot run the suite; `undefined` when it can. */
export function unable(): string | undefined {
  const reason = cannotIsolate();
  if (reason !== undefined) return reason;
  try {
    for (const part of ["ramekin-shim", "ramekin-launcher", "ramekin-init"] as const) nativeProgram(part);
  } catch (error) {
    if (!isRamekinError(error)) throw error;
    return error.message;
  }
  return undefined;
}

export const fixture = (options: Partial<BusyboxOptions> = {}) =>
  busyboxFixture({
    create: (directory) => linuxIsolation({ directory, shim: nativeProgram("ramekin-shim"), launcher: nativeProgram("ramekin-launcher") }),
    capabilities: { userNamespace: true, timeNamespace: true, limits: true, devices: true, supervision: true },
    init: nativeProgram("ramekin-init"),
    ...options,
  });
