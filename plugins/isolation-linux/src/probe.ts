import { existsSync } from "node:fs";
import { isRamekinError, type Support } from "@ramekin/core";
import { nativeProgram } from "@ramekin/native";

/** What every container gets; user and time namespaces are made on request and missed only then. */
const namespaces = ["mnt", "pid", "net", "ipc", "uts", "cgroup"];

export function probeLinux(): Support {
  if (process.platform !== "linux") return { ok: false, reason: `containers need Linux, this is ${process.platform}` };
  const missing = namespaces.filter((name) => !existsSync(`/proc/self/ns/${name}`));
  if (missing.length > 0) return { ok: false, reason: `this kernel has no ${missing.join(", ")} namespaces` };
  try {
    for (const program of ["ramekin-shim", "ramekin-launcher"] as const) nativeProgram(program);
  } catch (error) {
    if (!isRamekinError(error)) throw error;
    return { ok: false, reason: error.message, ...(error.hint !== undefined && { hint: error.hint }) };
  }
  return { ok: true, rank: 10 };
}
