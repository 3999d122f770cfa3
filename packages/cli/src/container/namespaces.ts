import type { NamespaceOptions } from "@ramekin/engine";
import { defined } from "../values/defined.ts";
import type { FlagValues } from "../verb.ts";
import type { namespaceFlags } from "./namespace-flags.ts";

/** All of `namespace-flags.ts`; an empty mode is the default, as in Docker. */
export function namespaceOptions(flags: FlagValues<typeof namespaceFlags>): NamespaceOptions {
  return defined({
    pid: flags.pid || undefined,
    ipc: flags.ipc || undefined,
    uts: flags.uts || undefined,
    cgroupns: flags.cgroupns || undefined,
  });
}
