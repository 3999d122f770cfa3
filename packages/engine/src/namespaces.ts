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
  pid: ["private", "host", "container:NAME"],
  ipc: ["private", "host", "none", "shareable", "container:NAME"],
  uts: ["private", "host", "container:NAME"],
  cgroupns: ["private", "host"],
};

/** The container whose namespace an option asks for, by name or id. */
export function partnerOf(choice: string | undefined): string | undefined {
  return choice?.startsWith("container:") ? choice.slice("container:".length) : undefined;
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
    const known = choices[kind].includes(partnerOf(choice) ? "container:NAME" : choice);
    if (!known || choice === "container:")
      objections.add("INVALID_ARGUMENT", `no such ${kind} namespace: ${choice}`, `known are ${choices[kind].join(", ")}`);
    const type = kind === "cgroupns" ? "cgroup" : kind;
    if (choice === "host") namespaces[type] = "host";
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
  const shares = uts === "host" || partnerOf(uts) ? `--uts ${uts}` : partnerOf(network) ? `--network ${network}` : undefined;
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
