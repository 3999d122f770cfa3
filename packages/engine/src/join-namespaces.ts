import { RamekinError } from "@ramekin/core";
import type { MountConfig, RuntimeConfig } from "@ramekin/oci";
import type { ContainerConfig } from "./api.ts";
import { partnerOf, type SharedKind, sharedKinds } from "./namespaces.ts";
import type { Scope } from "./scope.ts";
import { specText } from "./spec.ts";
import { currentState, readConfig } from "./store/containers.ts";
import { readJsonIfThere, replaceFile } from "./store/files.ts";

/**
 * Writes into the specification which processes' namespaces are joined: a container that another one shares with may have been
 * started anew since. FAILED_PRECONDITION when it does not run.
 */
export async function joinNamespaces(scope: Scope, config: ContainerConfig): Promise<void> {
  const path = scope.paths.container(config.id).spec;
  const spec = await readJsonIfThere<RuntimeConfig>(path);
  if (!spec) return;
  const joined = new Map<string, string>();
  let shm: MountConfig | undefined;
  for (const kind of Object.keys(sharedKinds) as SharedKind[]) {
    const id = partnerOf(config.options[kind]);
    if (id === undefined) continue;
    const pid = await pidOf(scope, id, kind, config);
    joined.set(sharedKinds[kind], `/proc/${pid}/ns/${kind === "network" ? "net" : kind}`);
    if (kind === "ipc") {
      shm = {
        destination: "/dev/shm",
        type: "bind",
        source: `/proc/${pid}/root/dev/shm`,
        options: ["rbind", "rprivate", "nosuid", "noexec", "nodev"],
      };
    }
  }
  const namespaces = spec.linux.namespaces.map((namespace) => {
    const target = joined.get(namespace.type);
    return target === undefined ? namespace : { ...namespace, path: target };
  });
  const mounts = shm ? spec.mounts.map((mount) => (mount.destination === "/dev/shm" ? (shm as MountConfig) : mount)) : spec.mounts;
  await replaceFile(path, specText({ ...spec, mounts, linux: { ...spec.linux, namespaces } }));
}

async function pidOf(scope: Scope, id: string, kind: SharedKind, config: ContainerConfig): Promise<number> {
  if (id === config.id) throw new RamekinError("INVALID_ARGUMENT", `container ${config.name} cannot join its own ${kind} namespace`);
  const partner = await readConfig(scope.paths, id);
  const { status, state } = await currentState(scope, partner);
  const pid = state.file?.pid;
  if ((status === "running" || status === "paused") && pid !== undefined) return pid;
  throw new RamekinError("FAILED_PRECONDITION", `cannot join the ${kind} namespace of container ${partner.name}, which does not run`, {
    hint: `start it first: ramekin start ${partner.name}`,
  });
}
