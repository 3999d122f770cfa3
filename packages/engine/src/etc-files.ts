import { writeFileSync } from "node:fs";
import type { NetworkDriver } from "@ramekin/core";
import type { MountConfig } from "@ramekin/oci";
import { readIfThere } from "./store/files.ts";
import type { ContainerPaths } from "./store/paths.ts";

/**
 * hosts, hostname and resolv.conf: the container's own, beside its configuration, bound over what the image has. Written here and
 * not into the root file system, where any of them may be a link to anywhere.
 */
export async function writeEtcFiles(paths: ContainerPaths, hostname: string, network: NetworkDriver["namespace"]): Promise<void> {
  const [hosts, resolvConf] =
    network === "host" ? await Promise.all([hostFile("/etc/hosts"), hostFile("/etc/resolv.conf")]) : [loopbackHosts(hostname), ""];
  writeFileSync(paths.hosts, hosts, { mode: 0o644 });
  writeFileSync(paths.hostname, `${hostname}\n`, { mode: 0o644 });
  writeFileSync(paths.resolvConf, resolvConf, { mode: 0o644 });
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
