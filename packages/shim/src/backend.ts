import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import {
  type ContainerState,
  type CreateOptions,
  type ExitStatus,
  type IdMapping,
  type IsolationBackend,
  isRamekinError,
  type ProcessChoice,
  RamekinError,
  type Supervision,
} from "@ramekin/core";
import type { LinuxConfig, RuntimeConfig } from "@ramekin/oci";
import { exitOf, healthResultOf, healthStatusOf } from "./answer.ts";
import { attachTo } from "./attachment.ts";
import { findCgroup, processesBelow } from "./cgroup.ts";
import { isGone, request, throwIfAborted } from "./connection.ts";
import type { Message } from "./frame.ts";
import { hold } from "./hold.ts";
import { fillGaps, writeLimits } from "./limits.ts";
import {
  checkId,
  isBeingMade,
  made,
  makeRunDirectory,
  openRunDirectory,
  type RunDirectory,
  removeRunDirectory,
  type ShimFile,
  type ShimSupervision,
} from "./run-directory.ts";
import { signalNumber } from "./signal.ts";
import { readStateFile, type SupervisedState, stateOf } from "./state-file.ts";
import { readStats } from "./stats.ts";
import { cleanUp, startSupervisor } from "./supervisor.ts";

export interface ShimOptions {
  /** Holds one run directory per container: `<runRoot>/containers`. */
  readonly directory: string;
  /** The program `ramekin-shim`. */
  readonly shim: string;
  /** An OCI runtime command line, and options for all its operations: what makes one backend differ from the other. */
  readonly launcher: { readonly argv: readonly [string, ...string[]]; readonly options?: readonly string[] };
  /** From what a caller chooses (`CreateOptions.runtime`) to the program; without it there is no choice. */
  readonly findRuntime?: (name: string) => string;
  /** Without root: the user namespace that the supervisor enters first. */
  readonly userns?: { readonly uids: readonly IdMapping[]; readonly gids: readonly IdMapping[] };
}

/** Containers under ramekin-shim, whatever launches them. It keeps nothing in memory: any process can do the next step. */
export function shimIsolation(options: ShimOptions): IsolationBackend {
  const { directory, shim: program } = options;
  /** Questions for an exit status on their way to a supervisor; they never reject. */
  const asking = new Set<Promise<void>>();

  /** Whoever answers there is the container's supervisor: an exec, which asks five times, need not read what it was told. */
  const pathOf = (id: string): string => {
    checkId(id);
    return join(directory, id);
  };
  const known = async (id: string): Promise<RunDirectory> => {
    const run = await openRunDirectory(directory, id);
    if (!run) throw new RamekinError("NOT_FOUND", `no container ${id}`);
    return run;
  };
  /** To a container that has one: with nobody there, the supervisor's last word is FAILED_PRECONDITION. */
  const ask = async (id: string, message: Message, signal?: AbortSignal): Promise<Message> => {
    try {
      return await request(pathOf(id), message, { signal });
    } catch (error) {
      if (!isGone(error)) throw error;
      const { status } = await lastState(program, await known(id), signal);
      throw new RamekinError("FAILED_PRECONDITION", `container ${id} is ${status}`);
    }
  };
  const stateFor = async (run: RunDirectory, signal?: AbortSignal): Promise<SupervisedState> => {
    try {
      return stateOf(await request(run.path, { op: "state" }, { signal }));
    } catch (error) {
      if (!isGone(error)) throw error;
      return lastState(program, run, signal);
    }
  };
  const cgroupOf = async (id: string) => {
    const run = await known(id);
    const { pid, status } = await stateFor(run);
    if (pid === undefined) throw new RamekinError("FAILED_PRECONDITION", `container ${id} is ${status}`);
    return { pid, cgroup: findCgroup(pid, run.shim.cgroup) };
  };
  /** `waited`: with `--rm`, whoever else finds the supervisor dead removes the container before we can read how it ended. */
  const lastExit = async (id: string, signal: AbortSignal | undefined, waited: boolean): Promise<ExitStatus> => {
    try {
      return (await lastState(program, await known(id), signal)).exit ?? lostExit();
    } catch (error) {
      if (waited && isRamekinError(error, "NOT_FOUND")) return lostExit();
      throw error;
    }
  };
  const exitStatus = async (
    id: string,
    { signal, execId, onSent }: { signal: AbortSignal | undefined; execId: string | undefined; onSent: () => void },
  ): Promise<ExitStatus> => {
    try {
      const exit = exitOf(await request(pathOf(id), { op: "wait", ...execField(execId) }, { signal, onSent }));
      if (exit) return exit;
      throw new RamekinError("DATA_LOSS", `no exit status in the answer for container ${id}`);
    } catch (error) {
      if (!isGone(error)) throw error;
      const exit = await lastExit(id, signal, error.accepted);
      if (execId === undefined) return exit;
      // A process beside the first has no file of its own: it ended, and what its status was nobody knows any more.
      if (error.accepted) return lostExit();
      throw new RamekinError("NOT_FOUND", `no process ${execId} in container ${id}: it has stopped`);
    }
  };

  return {
    async create(id, bundle, create) {
      checkId(id);
      throwIfAborted(create.signal, `create ${id}`);
      const linux = await linuxPart(bundle);
      const traversable = (linux.uidMappings ?? []).length > 0;
      const run = makeRunDirectory(directory, shimFile(id, resolve(bundle), linux.cgroupsPath, create, options), { traversable });
      try {
        const { pid } = await startSupervisor(program, run, create);
        try {
          fillGaps(() => findCgroup(pid, linux.cgroupsPath), linux.resources ?? {});
        } catch (error) {
          await request(run.path, { op: "delete", force: true }, { untilClosed: true });
          throw error;
        }
        made(run);
        return containerState(run, { status: "created", ...(pid !== undefined && { pid }) });
      } catch (error) {
        await removeRunDirectory(run);
        throw error;
      }
    },

    async start(id, { signal, execId } = {}) {
      // A supervisor takes connections in the order they come, and one that removes its container answers only who has asked
      // before the end: whoever waits must not be overtaken by the start of a short program.
      await Promise.all(asking);
      await ask(id, { op: "start", ...execField(execId) }, signal);
    },

    async kill(id, signal, { execId, all, final } = {}) {
      const message = { op: "kill", signal: signalNumber(signal), ...execField(execId), ...(all && { all }), ...(final && { final }) };
      const run = await known(id);
      try {
        await request(run.path, message);
      } catch (error) {
        if (!isGone(error)) throw error;
        await lastState(program, run); // a process that has ended needs no signal; one whose supervisor was killed dies here
      }
    },

    async delete(id, { execId, force = false } = {}) {
      const run = await openRunDirectory(directory, id);
      if (!run) return;
      const message = { op: "delete", ...execField(execId), ...(force && { force }) };
      try {
        await request(run.path, message, { untilClosed: execId === undefined });
      } catch (error) {
        if (execId !== undefined && isRamekinError(error, "NOT_FOUND")) return;
        if (!isGone(error)) throw error;
        const { status } = await lastState(program, run);
        if (status !== "stopped") throw new RamekinError("FAILED_PRECONDITION", `container ${id} is ${status}`);
      }
      if (execId === undefined) await removeRunDirectory(run);
    },

    async state(id) {
      const run = await openRunDirectory(directory, id);
      return run && containerState(run, await stateFor(run));
    },

    async wait(id, { signal, execId } = {}) {
      const { promise: sent, resolve: onSent } = Promise.withResolvers<void>();
      asking.add(sent);
      try {
        return await exitStatus(id, { signal, execId, onSent });
      } finally {
        onSent(); // or will never be
        asking.delete(sent);
      }
    },

    async exec(id, execId, process, io, { signal, user, groups, variables } = {}) {
      const who = { ...(user !== undefined && { user }), ...(groups && { groups }) };
      await ask(id, { op: "exec", id: execId, process, io, ...who, ...(variables && { variables }) }, signal);
    },

    async attach(id, { signal, execId } = {}) {
      try {
        return await attachTo(pathOf(id), execId, signal);
      } catch (error) {
        if (!isGone(error)) throw error;
        const { status } = await lastState(program, await known(id), signal);
        throw new RamekinError("FAILED_PRECONDITION", `container ${id} is ${status}`);
      }
    },

    async resize(id, { rows, columns }, { execId } = {}) {
      await ask(id, { op: "resize", rows, columns, ...execField(execId) });
    },
    async supervise(id, changes) {
      await ask(id, { op: "supervise", ...changes });
    },
    async restart(id, stop, { signal } = {}) {
      await ask(id, { op: "restart", signal: signalNumber(stop.signal), timeoutMs: stop.timeoutMs }, signal);
    },
    async checkHealth(id, { signal } = {}) {
      const { status, result } = await ask(id, { op: "check" }, signal);
      const known = healthStatusOf(status);
      if (known === undefined) throw new RamekinError("DATA_LOSS", `no health status in the answer for container ${id}`);
      return { status: known, result: healthResultOf(result) };
    },
    async pause(id) {
      await ask(id, { op: "pause" });
    },
    async resume(id) {
      await ask(id, { op: "resume" });
    },
    async hold(id) {
      const run = await known(id);
      return hold(run.path, id);
    },

    async update(id, resources) {
      writeLimits((await cgroupOf(id)).cgroup, resources);
    },
    async stats(id) {
      const { cgroup, pid } = await cgroupOf(id);
      return readStats(cgroup, pid);
    },
    async processes(id) {
      return processesBelow((await cgroupOf(id)).cgroup.anywhere);
    },
    features: () => launcherFeatures(options.launcher.argv),
  };
}

const execField = (execId: string | undefined): ProcessChoice | { readonly exec: string } => (execId === undefined ? {} : { exec: execId });

const lostExit = (): ExitStatus => ({ code: 137, signal: "SIGKILL", error: "monitor lost", exitedAt: new Date() });

function containerState({ shim }: RunDirectory, state: SupervisedState): ContainerState {
  return { id: shim.id, bundle: shim.bundle, ...state };
}

async function linuxPart(bundle: string): Promise<Partial<LinuxConfig>> {
  const spec = JSON.parse(await readFile(join(bundle, "config.json"), "utf8")) as Partial<RuntimeConfig>;
  return spec.linux ?? {};
}

function shimFile(id: string, bundle: string, cgroup: string | undefined, create: CreateOptions, options: ShimOptions): ShimFile {
  const { user, groups, io, stateFile, rootfs, events, supervision, cleanup, sources, variables, partners, descriptors, idMap } = create;
  return {
    version: 1,
    id,
    bundle,
    stateFile: resolve(stateFile),
    launcher: launcherFor(create.runtime, options),
    rootfs,
    ...(idMap && { idMap }),
    ...(sources && { sources }),
    ...(variables && { variables }),
    ...(partners && { partners }),
    ...(descriptors && { descriptors: descriptors.length }),
    io,
    ...(user !== undefined && { user }),
    ...(groups && { groups }),
    ...(cgroup !== undefined && { cgroup }),
    ...(options.userns && { userns: options.userns }),
    ...(events && { events }),
    ...(supervision && { supervision: shimSupervision(supervision) }),
    cleanup,
  };
}

/** Signals by number: the supervisor knows no names. */
function shimSupervision({ stop, ...supervision }: Supervision): ShimSupervision {
  return { ...supervision, ...(stop && { stop: { signal: signalNumber(stop.signal), timeoutMs: stop.timeoutMs } }) };
}

function launcherFor(runtime: string | undefined, { launcher, findRuntime }: ShimOptions): ShimFile["launcher"] {
  if (runtime === undefined) return { argv: launcher.argv, options: launcher.options ?? [] };
  if (findRuntime) return { argv: [findRuntime(runtime)], options: [] };
  throw new RamekinError("UNSUPPORTED", `this isolation driver runs no other runtime: ${runtime}`, {
    hint: "--isolation oci has the choice",
  });
}

/**
 * The state of a container whose supervisor does not answer: it has ended, was killed, or does not listen yet. After a kill the
 * container is ended here, so that whoever asks gets the truth: there is no daemon that would do it.
 */
async function lastState(program: string, run: RunDirectory, signal?: AbortSignal): Promise<SupervisedState> {
  for (let patience = 100; ; patience--) {
    throwIfAborted(signal, run.path);
    if (isBeingMade(run)) return { status: "creating" };
    const state = await readStateFile(run.shim.stateFile);
    if (state?.status === "stopped") return state;
    try {
      await cleanUp(program, run);
    } catch (error) {
      // `--rm`: it has gone with all that it had since we found it.
      if ((error as NodeJS.ErrnoException).code === "ENOENT") throw new RamekinError("NOT_FOUND", `no container ${run.shim.id}`);
      // Its lock is held: a supervisor that is about to listen, or has just stopped listening to end, or another client's clean-up.
      if (!isRamekinError(error, "UNAVAILABLE") || patience === 0) throw error;
      await new Promise((done) => setTimeout(done, 50));
      const answer = await request(run.path, { op: "state" }, { signal }).catch((reason: unknown) => {
        if (isGone(reason)) return undefined;
        throw reason;
      });
      if (answer) return stateOf(answer);
    }
  }
}

async function launcherFeatures(argv: readonly [string, ...string[]]): Promise<Readonly<Record<string, unknown>>> {
  const [program, ...args] = argv;
  try {
    const { stdout } = await promisify(execFile)(program, [...args, "features"]);
    return JSON.parse(stdout) as Readonly<Record<string, unknown>>;
  } catch (cause) {
    throw new RamekinError("UNSUPPORTED", `${program} does not tell its features`, { cause });
  }
}
