import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import {
  type Attachment,
  type ByteStream,
  type ContainerState,
  type CreateOptions,
  type ErrorCode,
  type ExitStatus,
  isRamekinError,
  type ProcessIO,
} from "@ramekin/core";
import { defaultSpec } from "@ramekin/oci";
import type { BoxOptions, Bundle, ExecOptions, IsolationFixture } from "./fixture.ts";

/** What a process left behind. */
export interface Outcome {
  readonly exit: ExitStatus;
  readonly stdout: string;
  readonly stderr: string;
}

export const rejects = (promise: Promise<unknown>, code: ErrorCode) => assert.rejects(promise, (error) => isRamekinError(error, code));

export const wiring = (io: Partial<ProcessIO> = {}): ProcessIO => ({ terminal: false, stdin: "closed", log: { type: "none" }, ...io });

/** A string is a script for the shell. */
const argvOf = (command: string | readonly string[]) => (typeof command === "string" ? ["sh", "-c", command] : command);

/** A container, created and not started. */
export async function created(fixture: IsolationFixture, command: string | readonly string[], options: BoxOptions = {}): Promise<Bundle> {
  const { io, as, groups, supervision, cleanup, ...rest } = options;
  const bundle = await fixture.bundle(argvOf(command), { ...rest, ...(io?.terminal && { terminal: true }) });
  await create(fixture, bundle, {
    io: wiring(io),
    cleanup: cleanup?.(bundle) ?? [],
    ...(as !== undefined && { user: as }),
    ...(groups && { groups }),
    ...(supervision && { supervision }),
  });
  return bundle;
}

export function create({ backend }: IsolationFixture, bundle: Bundle, options: Partial<CreateOptions> = {}): Promise<ContainerState> {
  const { id, directory, stateFile, rootfs } = bundle;
  return backend.create(id, directory, { io: wiring(), stateFile, rootfs, cleanup: [], ...options });
}

/** A container whose program runs; nobody looks at its output. */
export async function started(fixture: IsolationFixture, command: string | readonly string[], options: BoxOptions = {}): Promise<Bundle> {
  const bundle = await created(fixture, command, options);
  await fixture.backend.start(bundle.id);
  return bundle;
}

/** One that waits to be told to end. As pid 1 it would ignore a signal that it does not handle. */
export const idle = (fixture: IsolationFixture, options: BoxOptions = {}) =>
  started(fixture, "trap 'exit 0' TERM; while :; do sleep 0.05; done", options);

/** Created, attached, started, read to the end, waited for, deleted. */
export async function run(
  fixture: IsolationFixture,
  command: string | readonly string[],
  options: BoxOptions & { readonly stdin?: string } = {},
): Promise<Outcome> {
  const { stdin, ...rest } = options;
  const { id } = await created(fixture, command, { ...rest, ...(stdin !== undefined && { io: { stdin: "once", ...rest.io } }) });
  const outcome = await finish(fixture, id, undefined, stdin);
  await fixture.backend.delete(id);
  return outcome;
}

/** Attaches to what is created, starts it and reads it to the end. */
export async function finish({ backend }: IsolationFixture, id: string, execId?: string, stdin?: string): Promise<Outcome> {
  const choice = execId === undefined ? {} : { execId };
  await using attachment = await backend.attach(id, choice);
  const output = collect(attachment);
  output.catch(() => {}); // awaited below; a failing start comes first
  await backend.start(id, choice);
  if (stdin !== undefined) await type(attachment, stdin);
  const [{ stdout, stderr }, exit] = await Promise.all([output, backend.wait(id, choice)]);
  return { exit, stdout, stderr };
}

export async function type({ stdin }: Attachment, text: string): Promise<void> {
  const writer = stdin.getWriter();
  await writer.write(Buffer.from(text));
  await writer.close();
}

export async function collect({ stdout, stderr }: Attachment): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const [out, err] = await Promise.all([text(stdout), stderr ? text(stderr) : ""]);
  return { stdout: out, stderr: err };
}

export async function text(stream: ByteStream): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts).toString();
}

/** Runs one more process in a running container to its end. */
export async function exec(
  fixture: IsolationFixture,
  id: string,
  command: string | readonly string[],
  options: ExecOptions = {},
): Promise<Outcome> {
  const execId = await prepared(fixture, id, command, options);
  const outcome = await finish(fixture, id, execId, options.stdin);
  await fixture.backend.delete(id, { execId });
  return outcome;
}

/** One more process, waiting to be started. */
export async function prepared(
  { backend }: IsolationFixture,
  id: string,
  command: string | readonly string[],
  options: ExecOptions = {},
): Promise<string> {
  const { io, as, edit = (process) => process, stdin, cwd, env } = options;
  const execId = randomUUID();
  const { process } = defaultSpec({
    args: argvOf(command),
    ...(cwd !== undefined && { cwd }),
    ...(env && { env }),
    ...(io?.terminal && { terminal: true }),
  });
  const wired = wiring({ ...(stdin !== undefined && { stdin: "once" }), ...io });
  await backend.exec(id, execId, edit(process), wired, as === undefined ? {} : { user: as });
  return execId;
}

/** Polls: what is done without us, or on its own time, is seen some time. */
export async function eventually<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  timeoutMs = 10_000,
): Promise<T> {
  for (const end = Date.now() + timeoutMs; ; await new Promise((done) => setTimeout(done, 20))) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > end) assert.fail(`${what}: not within ${timeoutMs} ms`);
  }
}

/** Reads as far as `pattern`, and gives what matched: for talking with a process that goes on. */
export async function until(stream: AsyncIterator<Uint8Array>, pattern: RegExp, timeoutMs = 5_000): Promise<string> {
  let seen = "";
  const timeout = new Promise<never>((_, reject) =>
    setTimeout(() => reject(new Error(`no ${pattern} in ${JSON.stringify(seen)}`)), timeoutMs).unref(),
  );
  for (;;) {
    const { done, value } = await Promise.race([stream.next(), timeout]);
    if (value) seen += Buffer.from(value).toString();
    const found = pattern.exec(seen);
    if (found) return found[0];
    if (done) assert.fail(`ended without ${pattern}: ${JSON.stringify(seen)}`);
  }
}

/** `key:\tvalue` of /proc/PID/status. */
export const statusField = (status: string, key: string): string | undefined => new RegExp(`^${key}:\\s*(.*)$`, "m").exec(status)?.[1];
