import { type IdMapping, type Objections, RamekinError } from "@ramekin/core";
import type { NamespaceOptions } from "@ramekin/engine";
import { defined } from "../values/defined.ts";
import type { FlagValues } from "../verb.ts";
import type { namespaceFlags } from "./namespace-flags.ts";

/** All of `namespace-flags.ts`; an empty mode is the default, as in Docker. */
export function namespaceOptions(flags: FlagValues<typeof namespaceFlags>, objections: Objections): NamespaceOptions {
  const uidMaps = objections.each(flags.uidmap, (text) => readMap("uidmap", text));
  const gidMaps = objections.each(flags.gidmap, (text) => readMap("gidmap", text));
  return defined({
    pid: flags.pid || undefined,
    ipc: flags.ipc || undefined,
    uts: flags.uts || undefined,
    cgroupns: flags.cgroupns || undefined,
    userns: flags.userns || undefined,
    uidMaps: uidMaps.length > 0 ? uidMaps : undefined,
    gidMaps: gidMaps.length > 0 ? gidMaps : undefined,
    subuidName: flags.subuidname || undefined,
    subgidName: flags.subgidname || undefined,
  });
}

function readMap(flag: string, text: string): IdMapping {
  const match = /^(\d{1,10}):(\d{1,10})(?::(\d{1,10}))?$/.exec(text);
  if (match === null) throw new RamekinError("INVALID_ARGUMENT", `no map of ids: ${text}`, { hint: `--${flag} CONTAINER:HOST:SIZE` });
  return { containerID: Number(match[1]), hostID: Number(match[2]), size: Number(match[3] ?? 1) };
}
