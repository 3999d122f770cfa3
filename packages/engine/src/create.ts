import { writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import {
  isRamekinError,
  type LogWriterSpec,
  type Mount,
  Objections,
  RamekinError,
  type RuntimeSpec,
  type StorageDriver,
} from "@ramekin/core";
import { randomHex } from "@ramekin/native";
import type { MountConfig } from "@ramekin/oci";
import type { ContainerConfig, ContainerOptions, MountPoint } from "./api.ts";
import { cgroupPath } from "./cgroup.ts";
import { tell } from "./container-event.ts";
import { departureMs, isLeaving } from "./departure.ts";
import { writeEtcFiles } from "./etc-files.ts";
import { blobsOf, contentOf, type OpenedImage, openImage, topOf } from "./image.ts";
import { amendSpec, notify } from "./kernel/hooks.ts";
import { logWriter } from "./log-options.ts";
import { hasMounts, type MountPlan, type Settled } from "./mount-plan.ts";
import { suggestName } from "./names.ts";
import { type ChosenNetwork, chooseNetwork } from "./network.ts";
import { processArgs } from "./process.ts";
import { mustResolve, type ResolvedImage } from "./resolve.ts";
import { planSandbox, type SandboxSpec } from "./sandbox.ts";
import { attempt, type Scope } from "./scope.ts";
import { parseSignal } from "./signals.ts";
import { containerSpec, hostnameOf, specText } from "./spec.ts";
import { readIfThere, replaceFile } from "./store/files.ts";
import { readImages } from "./store/images.ts";
import { markUsed } from "./store/last-use.ts";
import { withLock } from "./store/lock.ts";
import { checkName, releaseName, reserveName } from "./store/names.ts";
import { newContainerDirectory } from "./store/new-container-directory.ts";
import type { ContainerPaths } from "./store/paths.ts";
import { checkSupervision, healthCheck } from "./supervise.ts";
import type { IdMap, UsernsPlan } from "./userns.ts";

/** A container with what `start` would else have to read again. */
export interface Prepared {
  readonly config: ContainerConfig;
  readonly mounts: readonly Mount[];
  readonly log: LogWriterSpec;
}

/** Where the files of a container come from that does not begin with its image's. */
export interface Origin {
  readonly image: ResolvedImage;
  prepare(storage: StorageDriver, key: string): Promise<readonly Mount[]>;
}

/** See `Engine.create`. */
export async function create(scope: Scope, options: ContainerOptions, origin?: Origin): Promise<Prepared> {
  options.signal?.throwIfAborted();
  await scope.opened();
  const plan = { ...(await planContainer(scope, options)), ...(origin && { origin }) };
  if (options.pull === "always" && !options.rootDirectory) await pullFor(scope, plan);
  try {
    return await createFrom(scope, plan);
  } catch (error) {
    if (!isMissing(error) || options.pull === "always" || options.pull === "never") throw error;
    await pullFor(scope, plan);
    return createFrom(scope, plan);
  }
}

/** All that can be chosen and refused before anything is made. */
export interface Plan {
  readonly options: ContainerOptions;
  readonly network: ChosenNetwork;
  readonly storage: { readonly name: string; readonly package: string };
  readonly isolation: { readonly name: string; readonly package: string };
  readonly log: { readonly name: string; readonly package: string; readonly options: Readonly<Record<string, string>> };
  readonly mounts: MountPlan;
  readonly secrets: NonNullable<ContainerConfig["secrets"]>;
  readonly sandbox: SandboxSpec;
  /** Undefined where the container has the host's user namespace. */
  readonly userns?: UsernsPlan;
  readonly rootless: boolean;
  readonly init?: string;
  readonly origin?: Origin;
}

export async function planContainer(scope: Scope, given: ContainerOptions): Promise<Plan> {
  const options = await settlePartners(scope, given);
  if (options.name !== undefined) checkName(options.name);
  checkSupervision(options);
  if (options.rootDirectory) (await import("./root-directory.ts")).checkRootOptions(options);
  const rootless = process.geteuid?.() !== 0;
  const logName = options.log?.driver ?? (await scope.kernel.preference("log"))?.names[0] ?? "json-file";
  const [network, storage, isolation, log, mounts, secrets, init, sandbox, userns] = await new Objections().all(
    chooseNetwork(scope, options.network),
    scope.kernel.choose("storage", options.storage),
    scope.kernel.choose("isolation", options.isolation ?? (options.runtime === undefined ? undefined : "oci")),
    scope.kernel.choose("log", logName),
    hasMounts(options) ? import("./mounts.ts").then(({ planMounts }) => planMounts(scope, options)) : { mounts: [], inherited: [] },
    options.secrets?.length ? import("./plan-secrets.ts").then(({ planSecrets }) => planSecrets(scope, options)) : [],
    options.init ? import("./init-program.ts").then(({ initProgram }) => initProgram()) : undefined,
    planSandbox(scope, options, { rootless }),
    asksForUserns(options) ? import("./userns.ts").then(({ planUserns }) => planUserns(options, rootless)) : undefined,
  );
  refuseIdmap(options, userns !== undefined);
  return {
    options: sandbox.vendor?.groups.length
      ? { ...options, groups: [...(options.groups ?? []), ...sandbox.vendor.groups.map(String)] }
      : options,
    network,
    storage,
    isolation,
    log: { name: log.name, package: log.package, options: options.log?.options ?? {} },
    mounts,
    secrets,
    sandbox,
    ...(userns && { userns }),
    rootless,
    ...(init !== undefined && { init }),
  };
}

function refuseIdmap({ mounts = [] }: ContainerOptions, hasUserns: boolean): void {
  const mapped = mounts.find((mount) => "idmap" in mount && mount.idmap);
  if (!mapped || hasUserns) return;
  throw new RamekinError("INVALID_ARGUMENT", `mount ${mapped.target}: idmap is about a user namespace, and this container has the host's`, {
    hint: "--userns auto gives it one",
  });
}

const asksForUserns = ({ userns, uidMaps, gidMaps, subuidName, subgidName }: ContainerOptions): boolean =>
  [userns, uidMaps, gidMaps, subuidName, subgidName].some((option) => option !== undefined);

/** Those whose namespaces are shared, by id. */
async function settlePartners(scope: Scope, options: ContainerOptions): Promise<ContainerOptions> {
  if (![options.pid, options.ipc, options.uts, options.network].some((choice) => choice?.startsWith("container:"))) return options;
  const { resolvePartners } = await import("./namespaces.ts");
  const objections = new Objections();
  const resolved = await resolvePartners(scope, options, objections);
  objections.raise();
  return resolved;
}

const missingImages = new WeakSet<object>();
const isMissing = (error: unknown): boolean => typeof error === "object" && error !== null && missingImages.has(error);

async function pullFor(scope: Scope, { options, storage }: Plan): Promise<void> {
  const { image, platform, signal, onProgress } = options;
  const { pull } = await import("./pull.ts");
  const how = { unpack: true, storage: storage.name, signal };
  await pull(scope, image, { ...how, ...(platform && { platform }), ...(onProgress && { onProgress }) });
}

async function createFrom(scope: Scope, plan: Plan): Promise<Prepared> {
  const id = randomHex(32);
  const paths = scope.paths.container(id);
  let name: string | undefined;
  let points: readonly MountPoint[] = [];
  try {
    // Held until the container is whole: what is unlocked and not whole is the wreck of a crash.
    await using _lock = await newContainerDirectory(paths, plan.options);
    name = await reserve(scope, plan.options.name, id, plan.options.signal);
    const { config, image, settled } = await publish(scope, plan, id, name);
    points = config.mounts ?? [];
    const prepared = await furnish(scope, plan, config, image, settled.specs);
    await notify(scope.kernel.plugins, scope.warn, "created", { id });
    tell(scope, config, "create");
    return prepared;
  } catch (error) {
    await attempt(scope, `removing snapshot ${id}`, async () => (await scope.kernel.use("storage", plan.storage.name)).remove(id));
    if (points.length > 0) {
      const { releaseMounts } = await import("./settle-mounts.ts");
      await releaseMounts(scope, id, points, { volumes: true, storage: plan.storage.name });
    }
    if (name !== undefined) await attempt(scope, `releasing the name ${name}`, () => releaseName(scope.paths, name as string, id));
    await attempt(scope, `removing ${paths.directory}`, () => rm(paths.directory, { recursive: true, force: true }));
    throw error;
  }
}

/**
 * From here on garbage collection sees the container, and with it the image. Both locks' worth: the image is looked up and
 * referred to while no collection runs.
 */
async function publish(scope: Scope, plan: Plan, id: string, name: string): Promise<Published> {
  const { options } = plan;
  const idMap = await plan.userns?.(scope, id);
  return withLock(scope.paths.lock, { exclusive: false, signal: options.signal }, async () => {
    const { resolved, image } = await findImage(scope, options, { known: plan.origin?.image, keep: true });
    const settled = await settle(scope, plan, id, image);
    try {
      const { points } = settled;
      const known = { ...(points.length > 0 && { mounts: points }), ...(plan.secrets.length > 0 && { secrets: plan.secrets }) };
      const config = { ...containerConfig(plan, id, name, resolved, image), ...known, ...(idMap && { idMap }) };
      await replaceFile(scope.paths.container(id).config, `${JSON.stringify(config)}\n`, { durable: !options.autoRemove });
      markUsed(scope.paths, resolved.descriptor.digest);
      return { config, image, settled };
    } catch (error) {
      if (settled.points.length > 0) await (await import("./settle-mounts.ts")).releaseMounts(scope, id, settled.points, { volumes: true });
      throw error;
    }
  });
}

interface Published {
  readonly config: ContainerConfig;
  readonly image: OpenedImage;
  readonly settled: Settled;
}

async function settle(scope: Scope, { mounts }: Plan, id: string, image: OpenedImage): Promise<Settled> {
  const declared = Object.keys(image.config.config?.Volumes ?? {});
  if (mounts.mounts.length + mounts.inherited.length + declared.length === 0) return { points: [], specs: [] };
  return (await import("./settle-mounts.ts")).settleMounts(scope, mounts, id, image);
}

export async function findImage(
  scope: Scope,
  { image: text, platform, signal, rootDirectory }: ContainerOptions,
  { known, keep = false }: { readonly known?: ResolvedImage | undefined; readonly keep?: boolean } = {},
): Promise<{ resolved: ResolvedImage; image: OpenedImage }> {
  if (rootDirectory) return (await import("./root-directory.ts")).noImage(scope, { keep, platform });
  try {
    const resolved = known ?? mustResolve(await readImages(scope.paths), text);
    const image = await openImage(blobsOf(await contentOf(scope)), resolved.descriptor, platform ?? scope.platform, text, { signal });
    return { resolved, image };
  } catch (error) {
    if (isRamekinError(error, "NOT_FOUND")) missingImages.add(error);
    throw error;
  }
}

export function containerConfig(plan: Plan, id: string, name: string, resolved: ResolvedImage, image: OpenedImage): ContainerConfig {
  const { signal: _, onProgress: __, ...options } = plan.options;
  const run = image.config.config ?? {};
  const user = options.user ?? run.User;
  const health = healthCheck(run, options.health);
  return {
    version: 1,
    id,
    name,
    createdAt: new Date().toISOString(),
    image: {
      name: resolved.name ?? options.image,
      descriptor: resolved.descriptor,
      manifest: image.manifestDescriptor.digest,
      chainId: topOf(image) ?? "",
    },
    options: { ...options, ...(run.Labels && { labels: { ...run.Labels, ...options.labels } }) },
    storage: { driver: plan.storage.name, package: plan.storage.package, key: id },
    isolation: { driver: plan.isolation.name, package: plan.isolation.package },
    network: { driver: plan.network.name, package: plan.network.package },
    log: { driver: plan.log.name, package: plan.log.package, options: plan.log.options },
    process: { args: processArgs(run, options), tty: options.tty ?? false, ...(user !== undefined && user !== "" && { user }) },
    stopSignal: options.stopSignal ? parseSignal(options.stopSignal) : parseSignal(run.StopSignal || "SIGTERM"),
    stopTimeout: options.stopTimeout ?? 10,
    ...(health && { health }),
  };
}

interface Identity {
  readonly hostname: string;
  /** Whose network it shares, and with it the files of /etc that tell of it. */
  readonly partner?: ContainerPaths;
}

async function identify(scope: Scope, { network, options }: Plan, id: string): Promise<Identity> {
  const own = hostnameOf(id, options, network.driver.namespace);
  if (network.partner === undefined) return { hostname: own };
  const partner = scope.paths.container(network.partner);
  return { hostname: (await readIfThere(partner.hostname))?.trim() ?? own, partner };
}

function withIdMap(sandbox: SandboxSpec, idMap: IdMap | undefined): SandboxSpec {
  return idMap ? { ...sandbox, idMap, namespaces: { ...sandbox.namespaces, user: "private" } } : sandbox;
}

/** Who owns what is the container's own. */
function rootOf({ uids, gids }: IdMap): { readonly uid: number; readonly gid: number } {
  const root = (map: IdMap["uids"]) => map.find(({ containerID }) => containerID === 0)?.hostID ?? 0;
  return { uid: root(uids), gid: root(gids) };
}

/** The bundle's config.json. */
export async function bundleSpec(
  scope: Scope,
  plan: Plan,
  config: ContainerConfig,
  image: OpenedImage,
  mountSpecs: readonly MountConfig[],
): Promise<RuntimeSpec> {
  const { id } = config;
  const { options, network, rootless } = plan;
  const { hostname, partner } = await identify(scope, plan, id);
  const plain = containerSpec({
    id,
    image,
    options,
    args: config.process.args,
    user: config.process.user,
    mounts: config.secrets ? [...mountSpecs, ...(await import("./mount-sources.ts")).secretSpecs(config)] : mountSpecs,
    network: network.driver.namespace,
    hostname,
    paths: scope.paths.container(id),
    ...(partner && { etc: partner }),
    cgroupsPath: await cgroupPath(id, rootless, options.cgroupParent),
    sandbox: withIdMap(plan.sandbox, config.idMap),
    rootless,
    ...(plan.init !== undefined && { init: plan.init }),
  });
  return amendSpec(scope.kernel.plugins, plain, { id, image: config.image.descriptor });
}

/** Root file system, files and bundle; the bundle's config.json comes last and says that the container is whole. */
async function furnish(
  scope: Scope,
  plan: Plan,
  config: ContainerConfig,
  image: OpenedImage,
  mountSpecs: readonly MountConfig[],
): Promise<Prepared> {
  const { id } = config;
  const { options, network } = plan;
  const paths = scope.paths.container(id);
  const { hostname } = await identify(scope, plan, id);
  const snapshot = async () => {
    const storage = await scope.kernel.use("storage", plan.storage.name);
    if (options.rootDirectory) {
      const { makeOverlay, rootMounts } = await import("./root-directory.ts");
      await makeOverlay(scope.paths, config);
      return rootMounts(scope.paths, storage, config);
    }
    const { unpackImage } = await import("./unpack.ts");
    await unpackImage(scope, storage, image, options).catch((error: unknown) => {
      // A pull of this platform that was killed, beside another one that is here: the index has a name already.
      if (isRamekinError(error, "NOT_FOUND")) missingImages.add(error);
      throw error;
    });
    if (plan.origin) return plan.origin.prepare(storage, id);
    // Writable even for a read-only root: mount targets that the image lacks are made first, then the launcher seals it.
    return storage.prepare(id, topOf(image), { signal: options.signal, volatile: options.autoRemove ?? false });
  };
  const writer = async () => logWriter(await scope.kernel.use("log", plan.log.name), plan.log.name, plan.log.options, config);

  const [mounts, finished, log] = await all(
    snapshot(),
    bundleSpec(scope, plan, config, image, mountSpecs),
    writer(),
    writeEtcFiles(paths, hostname, network.driver.namespace, { ...options, ...(config.idMap && { owner: rootOf(config.idMap) }) }),
  );
  if (config.mounts) await (await import("./settle-mounts.ts")).fillMounts(scope, config, mounts);
  writeFileSync(paths.spec, specText(finished), { mode: 0o600 });
  return { config, mounts, log };
}

/** `Promise.all` that lets everybody finish first: whoever undoes a failure must not race with what it undoes. */
async function all<T extends readonly unknown[]>(...work: { [Index in keyof T]: Promise<T[Index]> | T[Index] }): Promise<T> {
  const settled = await Promise.allSettled(work);
  const failure = settled.find((result) => result.status === "rejected");
  if (failure) throw failure.reason;
  return settled.map((result) => (result as PromiseFulfilledResult<unknown>).value) as unknown as T;
}

async function reserve(scope: Scope, wanted: string | undefined, id: string, signal: AbortSignal | undefined): Promise<string> {
  if (wanted === undefined) {
    for (let tries = 0; tries < 20; tries++) {
      const name = suggestName(tries);
      if ((await reserveName(scope.paths, name, id)) === undefined) return name;
    }
    throw new RamekinError("RESOURCE_EXHAUSTED", "no free container name found", { hint: "choose one with --name" });
  }
  const deadline = Date.now() + departureMs;
  for (;;) {
    const holder = await reserveName(scope.paths, wanted, id);
    if (holder === undefined) return wanted;
    if (Date.now() > deadline || !(await isLeaving(scope, holder))) {
      // A name must not stay with what a crash has left half made: nobody could remove that by its name.
      const { removeWreck } = await import("./prune.ts");
      if (await removeWreck(scope, holder)) continue;
      throw new RamekinError("ALREADY_EXISTS", `container name ${wanted} is in use by container ${holder.slice(0, 12)}`, {
        hint: `remove it with \`ramekin rm ${wanted}\`, or choose another name`,
      });
    }
    await sleep(5, undefined, { ...(signal && { signal }) });
  }
}
