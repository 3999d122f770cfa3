import { statfsSync } from "node:fs";
import { type Objections, RamekinError } from "@ramekin/core";
import type { MountConfig, NamespaceType } from "@ramekin/oci";
import type { ContainerOptions } from "./container-options.ts";
import type { SandboxSpec, SharedNamespaces } from "./sandbox.ts";
import type { Scope } from "./scope.ts";
import { findContainer, isThere } from "./store/containers.ts";

type Shared = Pick<ContainerOptions, "pid" | "ipc" | "uts" | "network">;
export type SharedKind = keyof Shared;

/** By option, the namespace of the runtime spec that it is about. */
export const sharedKinds: Readonly<Record<SharedKind, NamespaceType>> = { pid: "pid", ipc: "ipc", uts: "uts", network: "network" };

const choices: { readonly [K in keyof SharedNamespaces]-?: readonly string[] } = {
  pid: ["private", "host", "container:NAME", "ns:PATH"],
  ipc: ["private", "host", "none", "shareable", "container:NAME", "ns:PATH"],
  uts: ["private", "host", "container:NAME", "ns:PATH"],
  cgroupns: ["private", "host", "ns:PATH"],
};

/** The container whose namespace an option asks for, by name or id. */
export function partnerOf(choice: string | undefined): string | undefined {
  return choice?.startsWith("container:") ? choice.slice("container:".length) : undefined;
}

/** The file of the namespace that an option asks for. */
export function namespaceFile(choice: string | undefined): string | undefined {
  return choice?.startsWith("ns:") ? choice.slice("ns:".length) : undefined;
}

/** NSFS_MAGIC, linux/magic.h. */
const nsfs = 0x6e736673;

/** NOT_FOUND, INVALID_ARGUMENT. What kind of namespace it is, the kernel says when it is entered. */
export function checkNamespaceFile(path: string, kind: string): void {
  const wrong = (why: string) =>
    new RamekinError("INVALID_ARGUMENT", `no ${kind} namespace: ${path || "ns:"}: ${why}`, {
      hint: "a namespace's file is below /proc/PID/ns, or such a file bound elsewhere, as `ip netns` does",
    });
  if (!path.startsWith("/")) throw wrong("not an absolute path");
  let type: number;
  try {
    type = statfsSync(path).type;
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code === "ENOENT" ? "NOT_FOUND" : "PERMISSION_DENIED";
    throw new RamekinError(code, `cannot use the ${kind} namespace ${path}: ${(cause as Error).message}`, { cause });
  }
  if (type !== nsfs) throw wrong("not the file of a namespace");
}

/** With ids in the place of names, which may be given to another container at any time. NOT_FOUND for a container that is not there. */
export async function resolvePartners(scope: Scope, options: ContainerOptions, objections: Objections): Promise<ContainerOptions> {
  const found: Record<string, string> = {};
  for (const kind of Object.keys(sharedKinds) as SharedKind[]) {
    const name = partnerOf(options[kind]);
    if (name === undefined) continue;
    const partner = await objections.await(findContainer(scope.paths, name));
    if (partner) found[kind] = `container:${partner.id}`;
    if (partner && kind === "ipc" && !isShareable(partner.options))
      objections.add(
        "INVALID_ARGUMENT",
        `the IPC namespace of container ${partner.name} is its own`,
        "create that one with --ipc shareable",
      );
  }
  return { ...options, ...found };
}

const isShareable = ({ ipc }: Pick<ContainerOptions, "ipc">) => ipc === "shareable" || ipc === "host" || ipc?.startsWith("container:");

/** Everything of `NamespaceOptions`, and a network that is another container's, in the words of the runtime spec. */
export async function planNamespaces(options: ContainerOptions, { objections }: { readonly objections: Objections }): Promise<SandboxSpec> {
  const namespaces: Partial<Record<NamespaceType, "private" | "host" | { path: string }>> = {};
  for (const kind of Object.keys(choices) as (keyof SharedNamespaces)[]) {
    const choice = options[kind];
    if (choice === undefined) continue;
    const file = namespaceFile(choice);
    const known = choices[kind].includes(partnerOf(choice) ? "container:NAME" : file === undefined ? choice : "ns:PATH");
    if (!known || choice === "container:")
      objections.add("INVALID_ARGUMENT", `no such ${kind} namespace: ${choice}`, `known are ${choices[kind].join(", ")}`);
    const type = kind === "cgroupns" ? "cgroup" : kind;
    if (choice === "host") namespaces[type] = "host";
    if (file !== undefined) {
      objections.hear(() => checkNamespaceFile(file, kind));
      namespaces[type] = { path: file };
    }
  }
  const network = namespaceFile(options.network);
  if (network !== undefined) {
    objections.hear(() => checkNamespaceFile(network, "network"));
    namespaces.network = { path: network };
  }
  for (const kind of Object.keys(sharedKinds) as SharedKind[]) {
    // Whose process that is, a start finds out.
    if (partnerOf(options[kind])) namespaces[sharedKinds[kind]] = { path: unsettled };
  }
  objections.hear(() => checkNames(options));
  const ownMounts = options.ipc === "host" ? await hostIpcMounts() : [];
  return {
    namespaces,
    ...(ownMounts.length > 0 && { extraMounts: ownMounts }),
    ...(options.ipc === "none" && { withoutShm: true }),
  };
}

/** Stands in a specification until the start, when the partner runs. */
export const unsettled = "/proc/0/ns/unsettled";

/** What has the name of somebody else cannot have one of its own. */
function checkNames({ uts, network, hostname, domainname }: ContainerOptions): void {
  const given = hostname !== undefined ? "hostname" : domainname !== undefined ? "domainname" : undefined;
  if (given === undefined) return;
  const shares =
    uts === "host" || partnerOf(uts) || namespaceFile(uts) ? `--uts ${uts}` : partnerOf(network) ? `--network ${network}` : undefined;
  if (shares !== undefined)
    throw new RamekinError("INVALID_ARGUMENT", `conflicting options: --${given} and ${shares}`, { hint: "the name is the other one's" });
}

/** What System V and POSIX objects are seen through has to be the host's as well. */
async function hostIpcMounts(): Promise<MountConfig[]> {
  const bound = async (path: string): Promise<MountConfig[]> =>
    (await isThere(path))
      ? [{ destination: path, type: "bind", source: path, options: ["rbind", "rprivate", "nosuid", "noexec", "nodev"] }]
      : [];
  return [...(await bound("/dev/shm")), ...(await bound("/dev/mqueue"))];
}
