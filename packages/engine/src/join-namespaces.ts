import { type Partner, RamekinError } from "@ramekin/core";
import type { MountConfig, RuntimeConfig } from "@ramekin/oci";
import type { ContainerConfig } from "./api.ts";
import { partnerOf, type SharedKind, sharedKinds } from "./namespaces.ts";
import type { Scope } from "./scope.ts";
import { specText } from "./spec.ts";
import { currentState, readConfigIfThere } from "./store/containers.ts";
import { readJsonIfThere, replaceFile } from "./store/files.ts";

/**
 * Writes into the specification which processes' namespaces are joined: a container that another one shares with may have been
 * started anew since. FAILED_PRECONDITION when it does not run, NOT_FOUND when it is gone. Resolves with who they are, for a
 * supervisor that looks again before its next run.
 */
export async function joinNamespaces(scope: Scope, config: ContainerConfig): Promise<readonly Partner[]> {
  const path = scope.paths.container(config.id).spec;
  const spec = await readJsonIfThere<RuntimeConfig>(path);
  if (!spec) return [];
  const partners: Partner[] = [];
  const joined = new Map<string, string>();
  let shm: MountConfig | undefined;
  for (const kind of Object.keys(sharedKinds) as SharedKind[]) {
    const id = partnerOf(config.options[kind]);
    if (id === undefined) continue;
    const { pid, name } = await partnerProcess(scope, id, kind, config);
    partners.push({ namespace: kind, name, stateFile: scope.paths.container(id).state });
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
  return partners;
}

async function partnerProcess(
  scope: Scope,
  id: string,
  kind: SharedKind,
  config: ContainerConfig,
): Promise<{ readonly pid: number; readonly name: string }> {
  if (id === config.id) throw new RamekinError("INVALID_ARGUMENT", `container ${config.name} cannot join its own ${kind} namespace`);
  const partner = await readConfigIfThere(scope.paths, id);
  if (!partner) {
    throw new RamekinError("NOT_FOUND", `cannot join the ${kind} namespace of container ${id.slice(0, 12)}, which is gone`, {
      hint: `create ${config.name} anew, with another one to share with`,
    });
  }
  const { status, state } = await currentState(scope, partner);
  const pid = state.file?.pid;
  if ((status === "running" || status === "paused") && pid !== undefined) return { pid, name: partner.name };
  throw new RamekinError("FAILED_PRECONDITION", `cannot join the ${kind} namespace of container ${partner.name}, which does not run`, {
    hint: `start it first: ramekin start ${partner.name}`,
  });
}
