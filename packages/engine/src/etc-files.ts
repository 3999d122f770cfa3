import { chownSync, writeFileSync } from "node:fs";
import type { NetworkDriver } from "@ramekin/core";
import type { MountConfig } from "@ramekin/oci";
import type { ContainerOptions, DnsOptions } from "./api.ts";
import { readIfThere } from "./store/files.ts";
import type { ContainerPaths } from "./store/paths.ts";

/**
 * hosts, hostname and resolv.conf: the container's own, beside its configuration, bound over what the image has. Written here and
 * not into the root file system, where any of them may be a link to anywhere.
 */
export async function writeEtcFiles(
  paths: ContainerPaths,
  hostname: string,
  network: NetworkDriver["namespace"],
  { extraHosts = [], dns, domainname, owner }: EtcOptions = {},
): Promise<void> {
  const [hosts, resolvConf] =
    network === "host"
      ? await Promise.all([hostFile("/etc/hosts"), hostFile("/etc/resolv.conf")])
      : [loopbackHosts(domainname === undefined ? hostname : `${hostname}.${domainname} ${hostname}`), ""];
  const lines = extraHosts.length === 0 ? "" : `${(await import("./plan-process.ts")).hostLines(extraHosts)}\n`;
  writeFileSync(paths.hosts, `${hosts}${lines}`, { mode: 0o644 });
  writeFileSync(paths.hostname, `${hostname}\n`, { mode: 0o644 });
  writeFileSync(paths.resolvConf, dns ? withDns(resolvConf, dns) : resolvConf, { mode: 0o644 });
  if (owner) for (const path of [paths.hosts, paths.hostname, paths.resolvConf]) chownSync(path, owner.uid, owner.gid);
}

export interface EtcOptions extends Pick<ContainerOptions, "extraHosts" | "dns" | "domainname"> {
  /** As the host sees it; our own when absent. */
  readonly owner?: { readonly uid: number; readonly gid: number };
}

/** resolv.conf(5): whichever kind of line is given replaces all of its kind. */
export function withDns(base: string, { servers = [], search = [], options = [] }: DnsOptions): string {
  const replaced = new Set([
    ...(servers.length > 0 ? ["nameserver"] : []),
    ...(search.length > 0 ? ["search", "domain"] : []),
    ...(options.length > 0 ? ["options"] : []),
  ]);
  const kept = base.split("\n").filter((line) => line !== "" && !replaced.has(line.trim().split(/\s+/)[0] ?? ""));
  const own = [
    ...servers.map((server) => `nameserver ${server}`),
    ...(search.length > 0 && search.join() !== "." ? [`search ${search.join(" ")}`] : []),
    ...(options.length > 0 ? [`options ${options.join(" ")}`] : []),
  ];
  return [...kept, ...own].map((line) => `${line}\n`).join("");
}

/** Not where the user mounts a file of their own. */
export function etcMounts(paths: ContainerPaths, taken: ReadonlySet<string>): MountConfig[] {
  const files: readonly (readonly [string, string])[] = [
    ["/etc/resolv.conf", paths.resolvConf],
    ["/etc/hostname", paths.hostname],
    ["/etc/hosts", paths.hosts],
  ];
  return files
    .filter(([destination]) => !taken.has(destination))
    .map(([destination, source]) => ({ destination, type: "bind", source, options: ["rbind", "rprivate"] }));
}

function loopbackHosts(hostname: string): string {
  const lines = [
    "127.0.0.1\tlocalhost",
    "::1\tlocalhost ip6-localhost ip6-loopback",
    "fe00::\tip6-localnet",
    "ff00::\tip6-mcastprefix",
    "ff02::1\tip6-allnodes",
    "ff02::2\tip6-allrouters",
    // With no address but lo's, this is the only one by which a program reaches the name that it is told to have.
    `127.0.1.1\t${hostname}`,
  ];
  return `${lines.join("\n")}\n`;
}

const hostFile = async (path: string): Promise<string> => (await readIfThere(path)) ?? "";
