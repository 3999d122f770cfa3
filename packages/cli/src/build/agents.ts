import { type ChildProcess, execFile, spawn } from "node:child_process";
import { lstat, mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { Objections, RamekinError } from "@ramekin/core";

type Environment = Readonly<Record<string, string | undefined>>;

/** Sockets of ssh agents, by id. Those that were started for keys end with it. */
export interface Agents extends AsyncDisposable {
  readonly sockets: Readonly<Record<string, string>>;
}

/** `--ssh default`, `--ssh ID=SOCKET`, or `--ssh ID=KEY[,KEY]`: private keys without a passphrase, which an agent of their own is given. */
export async function openAgents(texts: readonly string[], environment: Environment): Promise<Agents> {
  const objections = new Objections();
  const held = new AsyncDisposableStack();
  const sockets: Record<string, string> = {};
  for (const text of texts) {
    const opened = await objections.await(openAgent(text, environment, held));
    if (opened) sockets[opened.id] = opened.socket;
  }
  try {
    objections.raise();
  } catch (error) {
    await held.disposeAsync();
    throw error;
  }
  return { sockets, [Symbol.asyncDispose]: () => held.disposeAsync() };
}

async function openAgent(text: string, environment: Environment, held: AsyncDisposableStack) {
  const equals = text.indexOf("=");
  const id = equals < 0 ? text : text.slice(0, equals);
  const paths = equals < 0 ? [] : text.slice(equals + 1).split(",");
  if (id === "" || paths.includes(""))
    throw new RamekinError("INVALID_ARGUMENT", `--ssh ${text}: not an agent`, { hint: "--ssh default, or --ssh ID=SOCKET or KEY" });
  const [first = environment["SSH_AUTH_SOCK"], ...more] = paths;
  if (first === undefined || first === "")
    throw new RamekinError("NOT_FOUND", `--ssh ${text}: no agent is running`, { hint: "the variable SSH_AUTH_SOCK names its socket" });
  const found = await stat(first).catch((cause: NodeJS.ErrnoException) => {
    throw new RamekinError("NOT_FOUND", `--ssh ${text}: cannot read ${first}: ${cause.message}`, { cause });
  });
  if (!found.isSocket()) return { id, socket: await agentFor([first, ...more], held) };
  if (more.length > 0) throw new RamekinError("INVALID_ARGUMENT", `--ssh ${text}: one socket, or keys`);
  return { id, socket: first };
}

async function agentFor(keys: readonly string[], held: AsyncDisposableStack): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "ramekin-agent-"));
  held.defer(() => rm(folder, { recursive: true, force: true }));
  const socket = join(folder, "agent");
  // -D: it stays our child, so that it can be ended for certain. By a name in its folder, whose path may be too long for a socket's.
  const agent = spawn("ssh-agent", ["-D", "-a", "agent"], { stdio: "ignore", cwd: folder });
  held.defer(() => ended(agent));
  await listening(agent, socket);
  for (const key of keys) {
    const env = { ...process.env, SSH_AUTH_SOCK: "agent", SSH_ASKPASS: "/bin/false", SSH_ASKPASS_REQUIRE: "force" };
    await promisify(execFile)("ssh-add", ["-q", "--", resolve(key)], { env, cwd: folder }).catch((cause: Error & { stderr?: string }) => {
      const reason = (cause.stderr ?? cause.message).trim().split("\n")[0];
      throw new RamekinError("INVALID_ARGUMENT", `--ssh: ${key} cannot be used: ${reason}`, {
        cause,
        hint: "a key with a passphrase goes into an agent by ssh-add first",
      });
    });
  }
  return socket;
}

async function listening(agent: ChildProcess, socket: string): Promise<void> {
  let failed: Error | undefined;
  agent.once("error", (error) => {
    failed = error;
  });
  for (let tries = 0; tries < 500; tries++) {
    if (failed || agent.exitCode !== null) break;
    if (
      await lstat(socket).then(
        () => true,
        () => false,
      )
    )
      return;
    await sleep(10);
  }
  throw new RamekinError("UNSUPPORTED", `ssh-agent did not start${failed ? `: ${failed.message}` : ""}`, {
    hint: "install openssh-client",
  });
}

async function ended(agent: ChildProcess): Promise<void> {
  if (agent.pid === undefined || agent.exitCode !== null || agent.signalCode !== null) return;
  const exit = new Promise((resolve) => agent.once("exit", resolve));
  agent.kill();
  await exit;
}
