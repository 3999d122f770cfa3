import { constants } from "node:fs";
import { access, realpath } from "node:fs/promises";
import { isIP } from "node:net";
import { delimiter, join } from "node:path";
import { type Objections, RamekinError } from "@ramekin/core";
import type { MountConfig } from "@ramekin/oci";
import type { ContainerOptions } from "./container-options.ts";
import type { SandboxSpec } from "./sandbox.ts";
import { isGone } from "./store/files.ts";

/** Everything of `ProcessOptions` that the specification says, checked with the rest. */
export async function planProcess(options: ContainerOptions, { objections }: { readonly objections: Objections }): Promise<SandboxSpec> {
  const { domainname, annotations, timezone, umask, extraHosts = [], noHosts, dns = {} } = options;
  if (umask !== undefined && !(Number.isInteger(umask) && umask >= 0 && umask <= 0o777))
    objections.add("INVALID_ARGUMENT", `no such umask: ${umask}`, "octal digits, such as 0022");
  if (noHosts && extraHosts.length > 0)
    objections.add("INVALID_ARGUMENT", "conflicting options: --no-hosts and --add-host", "leave out one of the two");
  objections.each(extraHosts, hostLine);
  for (const server of dns.servers ?? [])
    if (isIP(server) === 0) objections.add("INVALID_ARGUMENT", `${server} is not the address of a name server`);
  if (options.runtime !== undefined) await objections.await(checkRuntime(options.runtime));
  const zone = timezone === undefined ? undefined : await objections.await(zoneMount(timezone));
  return {
    ...(domainname !== undefined && { domainname }),
    ...(annotations && { annotations }),
    ...(zone && { zone }),
  };
}

/** Said before anything is made; the backend looks again. */
async function checkRuntime(name: string): Promise<void> {
  const places = name.includes("/") ? [name] : (process.env["PATH"] ?? "").split(delimiter).map((folder) => join(folder, name));
  for (const place of places) {
    if (
      await access(place, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return;
  }
  throw new RamekinError("NOT_FOUND", `unknown or invalid runtime: ${name}`, { hint: "the path of an OCI runtime, or its name in PATH" });
}

/** `NAME:ADDRESS` or `NAME=ADDRESS`, as a line of hosts(5). */
export function hostLine(text: string): string {
  const [, name = "", given = ""] = /^([^:=]+)[:=](.*)$/.exec(text) ?? [];
  const address = given.replace(/^\[(.*)\]$/, "$1");
  if (address === "host-gateway") {
    throw new RamekinError("UNSUPPORTED", `${text}: there is no gateway without a bridge network, which this version does not have`, {
      hint: "with --network host, the host is 127.0.0.1",
    });
  }
  if (name === "" || /\s/.test(name) || isIP(address) === 0)
    throw new RamekinError("INVALID_ARGUMENT", `no name and address of a host: ${text}`, { hint: "--add-host NAME:ADDRESS" });
  return `${address}\t${name}`;
}

export const hostLines = (hosts: readonly string[]): string => hosts.map(hostLine).join("\n");

const zones = "/usr/share/zoneinfo";

async function zoneMount(name: string): Promise<MountConfig> {
  if (name !== "local" && !/^[A-Za-z0-9][A-Za-z0-9_+\-/]*$/.test(name)) throw new RamekinError("INVALID_ARGUMENT", `no time zone: ${name}`);
  const path = name === "local" ? "/etc/localtime" : join(zones, name);
  try {
    return { destination: "/etc/localtime", type: "bind", source: await realpath(path), options: ["bind", "ro", "rprivate"] };
  } catch (error) {
    if (!isGone(error)) throw error;
    throw new RamekinError("NOT_FOUND", `time zone ${name} is not on this machine: no ${path}`, { cause: error });
  }
}
