import { statSync } from "node:fs";
import { posix } from "node:path";
import { type Mount, type MountSource, RamekinError, type SecretVariable } from "@ramekin/core";
import type { MountConfig } from "@ramekin/oci";
import type { ContainerConfig, MountPoint } from "./api.ts";
import type { Scope } from "./scope.ts";
import { secretPath } from "./store/secrets.ts";
import { readVolume } from "./store/volumes.ts";
import { mountAttributes } from "./volume/event.ts";
import { mountVolume } from "./volume/mount.ts";

/** What the supervisor has to put in the place of bind mounts, and into the environment. */
export interface MountSources {
  readonly sources?: readonly MountSource[];
  readonly variables?: readonly SecretVariable[];
}

export const secretsTarget = "/run/secrets";

/** Of a container with volumes, views of images or secrets; volumes that are file systems of their own are mounted. */
export async function mountSources(scope: Scope, config: ContainerConfig): Promise<MountSources> {
  const sources: MountSource[] = [];
  for (const point of config.mounts ?? []) {
    const source = await sourceOf(scope, config, point);
    if (source) sources.push(source);
  }
  const secrets = secretSources(scope, config);
  return { sources: [...sources, ...secrets.sources], variables: secrets.variables };
}

async function sourceOf(scope: Scope, config: ContainerConfig, point: MountPoint): Promise<MountSource | undefined> {
  const { destination, subpath, image, overlay, idmap = false } = point;
  const part = { ...(subpath !== undefined && { subpath }), ...(idmap && { mapped: true }) };
  if (image) {
    const storage = await scope.kernel.use("storage", config.storage.driver);
    return { destination, mounts: await storage.mounts(image.key), ...part };
  }
  if (point.type === "volume") {
    const volume = await readVolume(scope.paths, point.name ?? "");
    if (!volume) throw new RamekinError("NOT_FOUND", `get ${point.name ?? ""}: no such volume`);
    await mountVolume(scope, volume);
    scope.emit("volume", "mount", volume.name, mountAttributes(config, point));
    return subpath === undefined && !idmap ? undefined : { destination, mounts: [bind(point.source)], ...part };
  }
  if (overlay === undefined) return idmap ? mappedBind(point) : undefined;
  const layers = [`lowerdir=${escaped(point.source)}`, `upperdir=${overlay}/upper`, `workdir=${overlay}/work`];
  return { destination, mounts: [{ type: "overlay", source: "overlay", options: layers }], ...part };
}

/** A file is shown as a part of its directory: only trees can be mapped. */
function mappedBind({ destination, source }: MountPoint): MountSource {
  if (statSync(source).isDirectory()) return { destination, mounts: [bind(source)], mapped: true };
  return { destination, mounts: [bind(posix.dirname(source))], subpath: posix.basename(source), mapped: true };
}

const bind = (source: string): Mount => ({ type: "bind", source, options: ["rbind"] });
/** A colon stands between lower layers. */
const escaped = (path: string) => path.replace(/[\\:]/g, "\\$&");

const memory: Mount = { type: "tmpfs", source: "tmpfs", options: ["nosuid", "nodev", "noexec", "mode=0755"] };

export function secretSources(scope: Scope, { secrets = [] }: ContainerConfig): Required<MountSources> {
  const files = new Map<string, NonNullable<MountSource["files"]>[number][]>();
  const variables: SecretVariable[] = [];
  for (const { id, name, use } of secrets) {
    const file = secretPath(scope.paths, id);
    if (use.type === "env") {
      variables.push({ name: use.target ?? name, file });
      continue;
    }
    const { uid = 0, gid = 0, mode = 0o444 } = use;
    const [destination, path] = secretPlace(use.target ?? name);
    files.set(destination, [...(files.get(destination) ?? []), { file, path, uid, gid, mode }]);
  }
  const sources = [...files].map(([destination, list]): MountSource => {
    const alone = destination === secretsTarget ? {} : { subpath: (list[0] as { path: string }).path };
    return { destination, mounts: [memory], files: list, ...alone };
  });
  return { sources, variables };
}

/** Where it is mounted, and its name in there: all of one directory, or a file of its own. */
function secretPlace(target: string): readonly [destination: string, path: string] {
  const path = posix.resolve(secretsTarget, target);
  const below = `${secretsTarget}/`;
  return path.startsWith(below) ? [secretsTarget, path.slice(below.length)] : [path, posix.basename(path)];
}

/** The bind mounts that the supervisor fills. */
export function secretSpecs({ secrets = [] }: Pick<ContainerConfig, "secrets">): readonly MountConfig[] {
  const places = secrets.flatMap(({ name, use }) => (use.type === "env" ? [] : [secretPlace(use.target ?? name)[0]]));
  return [...new Set(places)].map((destination) => ({
    destination,
    type: "bind",
    source: "secrets",
    options: ["rbind", "ro", "rprivate", "nosuid", "nodev", "noexec"],
  }));
}
