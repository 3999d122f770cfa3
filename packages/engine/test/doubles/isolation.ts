import { appendFile, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import {
  type Attachment,
  type ByteStream,
  type CreateOptions,
  type ExitStatus,
  type IsolationBackend,
  type ProcessSpec,
  RamekinError,
} from "@ramekin/core";
import { appendEvent } from "../../src/store/journal.ts";
import { bootId } from "../../src/store/liveness.ts";

interface Process {
  readonly spec: ProcessSpec;
  readonly outputs: ((bytes: Uint8Array | undefined) => void)[];
  readonly exit: PromiseWithResolvers<ExitStatus>;
  started: boolean;
  ended: boolean;
}

interface Running {
  readonly options: CreateOptions;
  readonly first: Process;
  readonly execs: Map<string, Process>;
  paused: boolean;
}

export interface FakeIsolation extends IsolationBackend {
  /** What was called, in order: `create`, `attach` … */
  readonly calls: string[];
  readonly options: Map<string, CreateOptions>;
}

/**
 * Keeps the books of a supervisor, with programs of its own: `true`, `exit N`, `echo WORDS`, `sleep` (until a signal),
 * `stubborn` (until SIGKILL), `missing` and `forbidden`. It writes state files, logs and does cleanup lists as the real one.
 */
export function fakeIsolation(): FakeIsolation {
  const containers = new Map<string, Running>();
  const options = new Map<string, CreateOptions>();
  const calls: string[] = [];

  const known = (id: string) => {
    const container = containers.get(id);
    if (!container) throw new RamekinError("NOT_FOUND", `no container ${id}`);
    return container;
  };
  const processOf = (id: string, execId: string | undefined) => {
    const { first, execs } = known(id);
    const found = execId === undefined ? first : execs.get(execId);
    if (!found) throw new RamekinError("NOT_FOUND", `no process ${execId}`);
    return found;
  };
  const tell = (id: string, action: string, more: Readonly<Record<string, string>> = {}) => {
    const { events } = known(id).options;
    if (events) appendEvent(events.directory, { type: "container", action, id, attributes: { ...events.attributes, ...more } });
  };
  const newProcess = (spec: ProcessSpec): Process => ({ spec, outputs: [], exit: Promise.withResolvers(), started: false, ended: false });
  const writeState = async (id: string, status: string, exit?: ExitStatus) => {
    const { stateFile } = known(id).options;
    const state = {
      version: 1,
      status,
      bootId: await bootId(),
      startedAt: new Date(),
      shim: await self(),
      ...(status !== "stopped" && { pid: process.pid }),
      ...(exit && { exit }),
    };
    await writeFile(`${stateFile}.tmp`, JSON.stringify(state));
    await rename(`${stateFile}.tmp`, stateFile);
  };
  const end = async (id: string, process: Process, exit: ExitStatus) => {
    if (process.ended) return;
    process.ended = true;
    const container = known(id);
    if (process === container.first) {
      await writeState(id, "stopped", exit);
      if (process.started) tell(id, "die", { exitCode: String(exit.code) });
    }
    for (const output of process.outputs) output(undefined);
    process.exit.resolve(exit);
    if (process !== container.first) return;
    for (const operation of container.options.cleanup) {
      if (operation.op === "remove-tree") await rm(join(operation.root, operation.path), { recursive: true, force: true });
      if (operation.op === "release-name") await rm(operation.path, { force: true });
      if (operation.op === "append-event") appendEvent(operation.directory, operation.event);
    }
  };
  const say = async (id: string, process: Process, text: string) => {
    for (const output of process.outputs) output(Buffer.from(text));
    const { log } = known(id).options.io;
    if (process === known(id).first && log.type === "json-file") {
      await appendFile(log.path, `${JSON.stringify({ log: text, stream: "stdout", time: new Date() })}\n`);
    }
  };

  return {
    calls,
    options,
    async create(id, bundle, create) {
      calls.push("create");
      const { process } = JSON.parse(await readFile(join(bundle, "config.json"), "utf8")) as { process: ProcessSpec };
      if (containers.has(id)) throw new RamekinError("ALREADY_EXISTS", `container ${id} exists`);
      containers.set(id, { options: create, first: newProcess(process), execs: new Map(), paused: false });
      options.set(id, create);
      await writeState(id, "created");
      return { id, status: "created", bundle };
    },
    async start(id, { execId } = {}) {
      calls.push("start");
      const process = processOf(id, execId);
      const [program, ...words] = process.spec.args;
      if (program === "missing") throw new RamekinError("COMMAND_NOT_FOUND", "exec: missing: not found");
      if (program === "forbidden") throw new RamekinError("COMMAND_NOT_EXECUTABLE", "exec: forbidden: permission denied");
      process.started = true;
      if (execId === undefined) {
        await writeState(id, "running");
        tell(id, "start");
      }
      if (program === "echo") await say(id, process, `${words.join(" ")}\n`);
      const code = program === "exit" ? Number(words[0]) : program === "true" || program === "echo" ? 0 : undefined;
      if (code !== undefined) void end(id, process, { code, exitedAt: new Date() });
    },
    async kill(id, signal, { execId } = {}) {
      calls.push(`kill ${signal}`);
      const process = processOf(id, execId);
      if (process.spec.args[0] === "stubborn" && signal !== "SIGKILL") return;
      await end(id, process, { code: signal === "SIGKILL" ? 137 : 143, signal, exitedAt: new Date() });
    },
    async delete(id, { execId, force } = {}) {
      calls.push("delete");
      const container = containers.get(id);
      if (!container) return;
      if (execId !== undefined) return void container.execs.delete(execId);
      if (!container.first.ended && !force) throw new RamekinError("FAILED_PRECONDITION", `container ${id} runs`);
      if (!container.first.ended && container.first.started)
        await end(id, container.first, { code: 137, signal: "SIGKILL", exitedAt: new Date() });
      containers.delete(id);
    },
    async state(id) {
      calls.push("state");
      const container = containers.get(id);
      if (!container) return undefined;
      return { id, bundle: dirname(container.options.stateFile), status: container.first.ended ? "stopped" : "running" };
    },
    wait: async (id, { execId, signal } = {}) => {
      const aborted = Promise.withResolvers<never>();
      signal?.addEventListener("abort", () => aborted.reject(new RamekinError("CANCELLED", "cancelled")), { once: true });
      aborted.promise.catch(() => {});
      return Promise.race([processOf(id, execId).exit.promise, aborted.promise]);
    },
    async exec(id, execId, process) {
      calls.push("exec");
      known(id).execs.set(execId, newProcess(process));
    },
    async attach(id, { execId } = {}) {
      calls.push("attach");
      return attachment(processOf(id, execId));
    },
    async resize() {
      calls.push("resize");
    },
    async pause(id) {
      known(id).paused = true;
      await writeState(id, "paused");
    },
    async resume(id) {
      known(id).paused = false;
      await writeState(id, "running");
    },
  };
}

async function self() {
  const stat = await readFile("/proc/self/stat", "utf8");
  return { pid: process.pid, startTime: Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]) };
}

function attachment(process: Process): Attachment {
  const chunks: (Uint8Array | undefined)[] = process.ended ? [undefined] : [];
  let waiting = Promise.withResolvers<void>();
  const push = (bytes: Uint8Array | undefined) => {
    chunks.push(bytes);
    waiting.resolve();
  };
  process.outputs.push(push);
  const stdout: ByteStream = (async function* () {
    for (;;) {
      while (chunks.length === 0) {
        await waiting.promise;
        waiting = Promise.withResolvers();
      }
      const chunk = chunks.shift();
      if (!chunk) return;
      yield chunk;
    }
  })();
  const detach = async () => push(undefined);
  return {
    stdin: new WritableStream(),
    stdout,
    stderr: (async function* () {})(),
    resize: async () => {},
    detach,
    [Symbol.asyncDispose]: detach,
  };
}
