import { readFile } from "node:fs/promises";
import {
  type Attachment,
  type ByteStream,
  type Cancellable,
  type ErrorCode,
  type ExecVariables,
  type ExitStatus,
  type IsolationBackend,
  isRamekinError,
  type ProcessIO,
  RamekinError,
} from "@ramekin/core";
import { randomHex } from "@ramekin/native";
import { capabilitySets, maskedCapabilities, type ProcessConfig, type RuntimeConfig } from "@ramekin/oci";
import type { ContainerConfig, Exec, ExecOptions } from "./api.ts";
import { tell, tellingDetach } from "./container-event.ts";
import { obeying } from "./obey.ts";
import { defaultUser, numericUser, processCwd, processEnv } from "./process.ts";
import { attempt, type Scope } from "./scope.ts";
import { currentState } from "./store/containers.ts";
import { readJsonIfThere } from "./store/files.ts";
import { nothing } from "./streams.ts";

/** See `Container.exec`. The process has what the first one has, unless asked otherwise. */
export async function exec(scope: Scope, config: ContainerConfig, command: readonly string[], options: ExecOptions = {}): Promise<Exec> {
  if (command.length === 0 || command[0] === "") throw new RamekinError("INVALID_ARGUMENT", "no command to execute");
  const { id, name } = config;
  const { status } = await currentState(scope, config);
  if (status === "paused") throw new RamekinError("FAILED_PRECONDITION", `container ${name} is paused`, { hint: "unpause it first" });
  if (status === "restarting")
    throw new RamekinError("FAILED_PRECONDITION", `container ${name} is restarting`, { hint: "wait until it runs" });
  if (status !== "running") throw new RamekinError("FAILED_PRECONDITION", `container ${name} is not running`);
  const spec = await readJsonIfThere<RuntimeConfig>(scope.paths.container(id).spec);
  if (!spec) throw new RamekinError("NOT_FOUND", `container ${name} has no bundle any more`);

  const isolation = await scope.kernel.use("isolation", config.isolation.driver);
  const execId = randomHex(32);
  const io: ProcessIO = { terminal: options.tty ?? false, stdin: options.stdin ?? "closed", log: { type: "none" } };
  const user = options.user ?? config.process.user ?? defaultUser;
  tell(scope, config, `exec_create: ${command.join(" ")}`, { execID: execId });
  let attachment: Attachment | undefined;
  try {
    await isolation.exec(id, execId, await execProcess(spec.process, command, options), io, {
      signal: options.signal,
      user,
      ...(config.options.groups && { groups: config.options.groups }),
      ...(await secretVariables(scope, config, options)),
    });
  } catch (error) {
    throw await cannotStart(scope, config, command, options, error);
  }
  try {
    if (!options.detach) attachment = await isolation.attach(id, { execId, signal: options.signal });
    await isolation.start(id, { execId, signal: options.signal });
  } catch (error) {
    if (attachment) await attempt(scope, `detaching from ${execId}`, () => (attachment as Attachment).detach());
    await attempt(scope, `forgetting ${execId}`, () => isolation.delete(id, { execId, force: true }));
    throw await cannotStart(scope, config, command, options, error);
  }
  const told = attachment && tellingDetach(attachment, () => tell(scope, config, "exec_detach", { execID: execId }));
  return execHandle(scope, isolation, id, execId, told);
}

/** As Docker: whatever keeps a process out of a container that runs, such as a user or a folder that it has not, makes the status 126. */
async function cannotStart(
  scope: Scope,
  config: ContainerConfig,
  command: readonly string[],
  { workdir }: ExecOptions,
  error: unknown,
): Promise<unknown> {
  if (!["NOT_FOUND", "FAILED_PRECONDITION", "INVALID_ARGUMENT"].some((code) => isRamekinError(error, code as ErrorCode))) return error;
  const cause = error as RamekinError;
  if ((await currentState(scope, config)).status !== "running") return error;
  if (!isRamekinError(error, "FAILED_PRECONDITION") || workdir === undefined)
    return new RamekinError("COMMAND_NOT_EXECUTABLE", cause.message, { cause, ...(cause.hint !== undefined && { hint: cause.hint }) });
  return new RamekinError("COMMAND_NOT_EXECUTABLE", `cannot start ${command[0]} in ${workdir}: ${cause.message}`, {
    cause,
    hint: `is ${workdir} a directory of the container?`,
  });
}

async function execProcess(first: ProcessConfig, command: readonly string[], options: ExecOptions): Promise<ProcessConfig> {
  const { consoleSize: _, ...inherited } = first;
  const user = options.user === undefined ? first.user : (numericUser(options.user) ?? { uid: 0, gid: 0 });
  const bounding = options.privileged ? await ownCapabilities() : (first.capabilities?.bounding ?? []);
  return {
    ...inherited,
    args: command,
    cwd: options.workdir === undefined ? first.cwd : processCwd({}, options.workdir),
    env: execEnv(first.env ?? [], options),
    user,
    capabilities: capabilitySets(bounding, user.uid),
    terminal: options.tty ?? false,
    ...(options.windowSize && { consoleSize: { height: options.windowSize.rows, width: options.windowSize.columns } }),
  };
}

/** The container's own, as Podman has it: the secrets as they are now, but for variables that are asked for by name. */
async function secretVariables(scope: Scope, config: ContainerConfig, { env = {} }: ExecOptions): Promise<ExecVariables> {
  if (!config.secrets?.some(({ use }) => use.type === "env")) return {};
  const { secretSources } = await import("./mount-sources.ts");
  return { variables: secretSources(scope, config).variables.filter(({ name }) => !(name in env)) };
}

/** All that can be given: nobody passes on what is outside of his own bounding set, and asking for it fails. */
async function ownCapabilities(): Promise<readonly string[]> {
  const mask = /^CapBnd:\s*([0-9a-f]+)$/m.exec(await readFile("/proc/self/status", "utf8"))?.[1];
  return maskedCapabilities(BigInt(`0x${mask ?? "0"}`));
}

function execEnv(inherited: readonly string[], options: ExecOptions): readonly string[] {
  const hostname = inherited.find((entry) => entry.startsWith("HOSTNAME="))?.slice("HOSTNAME=".length) ?? "";
  return processEnv({ Env: inherited }, options, hostname);
}

function execHandle(scope: Scope, isolation: IsolationBackend, id: string, execId: string, attachment: Attachment | undefined): Exec {
  let exit: ExitStatus | undefined;
  let forgotten: Promise<unknown> | undefined;
  const absent: ByteStream = nothing();
  const handle: Exec = {
    id: execId,
    attachment,
    stdout: attachment?.stdout ?? absent,
    stderr: attachment?.stderr ?? absent,
    kill: (signal) => isolation.kill(id, signal, { execId }),
    resize: (size) => isolation.resize(id, size, { execId }),
    // Each asks for himself: who gives up must not take the answer from the others.
    async wait({ signal }: Cancellable = {}) {
      try {
        exit ??= await isolation.wait(id, { execId, signal });
      } catch (error) {
        if (exit === undefined) throw error; // else another has heard, and had the process forgotten
      }
      forgotten ??= attempt(scope, `forgetting ${execId}`, () => isolation.delete(id, { execId }));
      await forgotten;
      return exit;
    },
    [Symbol.asyncDispose]: async () => attachment?.[Symbol.asyncDispose](),
  };
  return obeying(handle);
}
