import {
  type Attachment,
  type Cancellable,
  type ExitStatus,
  type IsolationBackend,
  isRamekinError,
  RamekinError,
  type WindowSize,
} from "@ramekin/core";
import type { ContainerConfig } from "./api.ts";
import { cgroupPath } from "./cgroup.ts";
import { cleanupList } from "./cleanup.ts";
import { eventAttributes, tell, tellingDetach } from "./container-event.ts";
import type { Prepared } from "./create.ts";
import { notify } from "./kernel/hooks.ts";
import { logWriter } from "./log-options.ts";
import { defaultUser } from "./process.ts";
import { attempt, type Scope } from "./scope.ts";
import { currentState, isLive, isThere } from "./store/containers.ts";
import { replaceFile } from "./store/files.ts";
import { lockFile } from "./store/lock.ts";
import { readState, writeExit } from "./store/state.ts";
import { cannotSupervise, supervisionOf } from "./supervise.ts";

export interface StartOptions extends Cancellable {
  readonly attach?: boolean;
  readonly windowSize?: WindowSize;
  /** See `CreateOptions.descriptors`. */
  readonly descriptors?: readonly number[];
}

export interface Started {
  readonly attachment?: Attachment;
  /** Asked for before the start when somebody will want it soon, or, with `autoRemove`, could not ask later. */
  readonly exit?: Promise<ExitStatus>;
}

/**
 * See `Container.start`. A container that was created has no process: supervisor and process come into being here, at every start
 * anew. One that runs already is left as it is, and attached to if asked.
 */
export async function start(scope: Scope, config: ContainerConfig, options: StartOptions = {}, prepared?: Prepared): Promise<Started> {
  const { id } = config;
  const paths = scope.paths.container(id);
  await using _lock = await lockFile(paths.lock, { exclusive: true, signal: options.signal });
  const isolation = await scope.kernel.use("isolation", config.isolation.driver);
  if (!prepared && (await isRunning(scope, config, isolation))) {
    return options.attach ? { attachment: await isolation.attach(id, { signal: options.signal }) } : {};
  }

  const { mounts, log } = prepared ?? (await prepareAgain(scope, config));
  const storage = await scope.kernel.use("storage", config.storage.driver);
  const cleanup = await cleanupList(
    scope.paths,
    config,
    storage,
    await cgroupPath(id, process.geteuid?.() !== 0, config.options.cgroupParent),
  );
  const supervision = supervisionOf(config);
  if (supervision && !isolation.supervise) throw cannotSupervise(config.isolation.driver);
  const provided = config.mounts || config.secrets ? await (await import("./mount-sources.ts")).mountSources(scope, config) : {};
  const partners = sharesNamespaces(config) ? await (await import("./join-namespaces.ts")).joinNamespaces(scope, config) : [];
  let attachment: Attachment | undefined;
  try {
    const { pid } = await isolation.create(id, paths.bundle, {
      io: { terminal: config.process.tty, stdin: config.options.stdin ?? "closed", log },
      stateFile: paths.state,
      rootfs: mounts,
      ...(config.idMap && { idMap: config.idMap }),
      ...provided,
      ...(partners.length > 0 && { partners }),
      ...(options.descriptors && { descriptors: options.descriptors }),
      events: { directory: scope.paths.events, attributes: eventAttributes(config) },
      ...(supervision && { supervision }),
      cleanup,
      user: config.process.user ?? defaultUser,
      ...(config.options.groups && { groups: config.options.groups }),
      ...(config.options.runtime !== undefined && { runtime: config.options.runtime }),
      signal: options.signal,
    });
    if (config.options.pidFile !== undefined) await replaceFile(config.options.pidFile, String(pid ?? ""));
    if (options.attach) {
      attachment = await isolation.attach(id, { signal: options.signal });
      tell(scope, config, "attach");
    }
    if (config.process.tty && options.windowSize) await isolation.resize(id, options.windowSize);
    const exit = config.options.autoRemove || options.attach ? isolation.wait(id, { signal: scope.signal }) : undefined;
    exit?.catch(() => {}); // whoever waits hears of it
    await isolation.start(id, { signal: options.signal });
    await notify(scope.kernel.plugins, scope.warn, "started", { id });
    const attached = attachment && tellingDetach(attachment, () => tell(scope, config, "detach"));
    return { ...(attached && { attachment: attached }), ...(exit && { exit }) };
  } catch (error) {
    if (attachment) await attempt(scope, `detaching from ${id}`, () => (attachment as Attachment).detach());
    await settleFailure(scope, config, isolation, error);
    throw error;
  }
}

/** Whether a start has to look for another container. */
export function sharesNamespaces({ options: { pid, ipc, uts, network } }: ContainerConfig): boolean {
  return [pid, ipc, uts, network].some((choice) => choice?.startsWith("container:"));
}

async function isRunning(scope: Scope, config: ContainerConfig, isolation: IsolationBackend): Promise<boolean> {
  const { status, state } = await currentState(scope, config);
  const name = config.name;
  if (isLive(status)) return true;
  if (status === "removing" || status === "dead") throw new RamekinError("FAILED_PRECONDITION", `container ${name} is being removed`);
  if (!(await isThere(scope.paths.container(config.id).spec))) {
    throw new RamekinError("FAILED_PRECONDITION", `container ${name} was never completely created`, {
      hint: `remove it with \`ramekin rm ${name}\``,
    });
  }
  if (state.liveness !== "never-started") await isolation.delete(config.id, { force: true });
  return false;
}

async function prepareAgain(scope: Scope, config: ContainerConfig): Promise<Pick<Prepared, "mounts" | "log">> {
  const [storage, driver] = await Promise.all([
    scope.kernel.use("storage", config.storage.driver),
    scope.kernel.use("log", config.log.driver),
  ]);
  const [mounts, log] = await Promise.all([
    config.options.rootDirectory
      ? (await import("./root-directory.ts")).rootMounts(scope.paths, storage, config)
      : storage.mounts(config.storage.key),
    logWriter(driver, config.log.driver, config.log.options, config),
  ]);
  return { mounts, log };
}

/** As Docker: a container whose program cannot run stays, exited with 127 or 126, or goes if it was to be removed. */
async function settleFailure(scope: Scope, config: ContainerConfig, isolation: IsolationBackend, error: unknown): Promise<void> {
  const { id } = config;
  await attempt(scope, `removing the remains of the start of ${id}`, () => isolation.delete(id, { force: true }));
  if (config.options.autoRemove) {
    const { removeLocked } = await import("./remove.ts");
    await attempt(scope, `removing ${id}`, () => removeLocked(scope, config));
    return;
  }
  const code = isRamekinError(error, "COMMAND_NOT_FOUND") ? 127 : isRamekinError(error, "COMMAND_NOT_EXECUTABLE") ? 126 : undefined;
  if (code === undefined) return; // nothing of the container is at fault: it stays as it was, to be started again
  await attempt(scope, `recording the failed start of ${id}`, async () => {
    const paths = scope.paths.container(id);
    if ((await readState(paths)).liveness === "ended") return;
    await writeExit(paths, { code, error: (error as Error).message, exitedAt: new Date() });
  });
}
