import { existsSync } from "node:fs";
import type { MountConfig } from "@ramekin/oci";
import type { ContainerMount, ContainerOptions, Explanation, MountPoint } from "./api.ts";
import { bundleSpec, containerConfig, findImage, type Plan, planContainer } from "./create.ts";
import type { OpenedImage } from "./image.ts";
import type { MountPlan } from "./mount-plan.ts";
import type { Scope } from "./scope.ts";
import { volumePaths } from "./store/volumes.ts";

/** What stands in the place of an id that there is none of yet. */
const noId = "0".repeat(64);

/** See `Engine.explain`: `create` as far as it makes nothing. */
export async function explain(scope: Scope, options: ContainerOptions): Promise<Explanation> {
  await scope.opened();
  const plan = await planWithoutMaking(scope, options);
  const { resolved, image } = await findImage(scope, options);
  const specOf = async (image: OpenedImage) => {
    const config = containerConfig(plan, noId, options.name ?? "", resolved, image);
    const mounts = await dryMounts(scope, plan.mounts, image);
    return bundleSpec(scope, plan, { ...config, ...(plan.secrets.length > 0 && { secrets: plan.secrets }) }, image, mounts);
  };
  const bare: OpenedImage = { ...image, config: { ...image.config, config: { Cmd: options.command ?? ["-"] } } };
  return {
    image: { name: resolved.name ?? options.image, id: resolved.descriptor.digest },
    drivers: { storage: plan.storage.name, isolation: plan.isolation.name, network: plan.network.name, log: plan.log.name },
    spec: await specOf(image),
    withoutImage: await specOf(bare),
  };
}

/** A directory of the host that a start would make is not made here: it is planned as one that is there. */
async function planWithoutMaking(scope: Scope, options: ContainerOptions): Promise<Plan> {
  const absent = new Map<string, string>();
  const mounts = options.mounts?.map((mount): ContainerMount => {
    if (mount.type !== "bind" || !mount.createSource || existsSync(mount.source)) return mount;
    absent.set(mount.target, mount.source);
    return { ...mount, source: "/" };
  });
  const plan = await planContainer(scope, { ...options, ...(mounts && { mounts }) });
  const restored = plan.mounts.mounts.map((mount) => {
    const source = mount.type === "bind" ? absent.get(mount.target) : undefined;
    return source === undefined ? mount : { ...mount, source };
  });
  return { ...plan, mounts: { ...plan.mounts, mounts: restored as MountPlan["mounts"] } };
}

/** As `settleMounts` would have them, with no volume made. */
async function dryMounts(scope: Scope, { mounts, inherited }: MountPlan, image: OpenedImage): Promise<MountConfig[]> {
  const taken = new Set([...mounts.map(({ target }) => target), ...inherited.map(({ destination }) => destination)]);
  const declared = Object.keys(image.config.config?.Volumes ?? {}).filter((target) => !taken.has(target));
  if (mounts.length + inherited.length + declared.length === 0) return [];
  const { inheritedSpec, mountSpec } = await import("./mounts.ts");
  const all: ContainerMount[] = [...mounts, ...declared.map((target) => ({ type: "volume" as const, target }))];
  return [...inherited.map(inheritedSpec), ...all.map((mount) => mountSpec(mount, dryPoint(scope, mount)))];
}

function dryPoint(scope: Scope, mount: ContainerMount): MountPoint {
  const base = { type: mount.type, destination: mount.target, writable: true, mode: "", propagation: "", source: "" };
  switch (mount.type) {
    case "bind":
      return { ...base, source: mount.source, writable: !mount.readOnly };
    case "volume": {
      const source = mount.source === undefined ? "(a new anonymous volume)" : volumePaths(scope.paths, mount.source).data;
      return { ...base, source, writable: !mount.readOnly };
    }
    case "image":
      return { ...base, source: `(the files of image ${mount.source})`, writable: mount.writable ?? false };
    default:
      return base;
  }
}
