import { resolve } from "node:path";
import { type Objections, RamekinError } from "@ramekin/core";
import type { ProcessOptions } from "@ramekin/engine";
import { defined } from "../values/defined.ts";
import { parsePorts } from "../values/ports.ts";
import type { FlagValues } from "../verb.ts";
import type { processFlags } from "./process-flags.ts";

/** All of `process-flags.ts`, but what is merged with flags of other groups: `--env-host`, `--label-file`. */
export function processOptions(
  flags: FlagValues<typeof processFlags>,
  objections: Objections,
  { workingDirectory }: { readonly workingDirectory: string },
): ProcessOptions {
  const dns = defined({ servers: list(flags.dns), search: list(flags["dns-search"]), options: list(flags["dns-option"]) });
  const annotations = Object.fromEntries(objections.each(flags.annotation, readAnnotation));
  const expose = objections.each(flags.expose, parsePorts).flat();
  return defined({
    groups: list(flags["group-add"]),
    umask: flags.umask === undefined ? undefined : objections.hear(() => readUmask(flags.umask as string)),
    timezone: flags.tz || undefined,
    unsetEnv: list(flags.unsetenv),
    unsetAllEnv: flags["unsetenv-all"] || undefined,
    domainname: flags.domainname || undefined,
    extraHosts: list(flags["add-host"]),
    noHosts: flags["no-hosts"] || undefined,
    dns: Object.keys(dns).length > 0 ? dns : undefined,
    annotations: Object.keys(annotations).length > 0 ? annotations : undefined,
    expose: list(expose),
    pidFile: flags.pidfile ? resolve(workingDirectory, flags.pidfile) : undefined,
    runtime: flags.runtime || undefined,
  });
}

const list = <T>(all: readonly T[]) => (all.length > 0 ? all : undefined);

function readUmask(text: string): number {
  if (!/^[0-7]{1,4}$/.test(text)) throw new RamekinError("INVALID_ARGUMENT", `no umask: ${text}`, { hint: "octal digits, such as 0022" });
  return Number.parseInt(text, 8);
}

function readAnnotation(text: string): [string, string] {
  const at = text.indexOf("=");
  if (at < 1) throw new RamekinError("INVALID_ARGUMENT", `no annotation: ${text}`, { hint: "--annotation KEY=VALUE" });
  return [text.slice(0, at), text.slice(at + 1)];
}
