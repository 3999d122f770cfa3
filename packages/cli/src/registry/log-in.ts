import { isRamekinError, type LoginOptions } from "@ramekin/core";
import { StatusError, UsageError } from "../argv/status-error.ts";
import type { Context } from "../context.ts";
import { exitStatus } from "../exit-status.ts";
import { asker } from "../terminal/ask.ts";
import { serverName } from "./server-name.ts";

export interface LoginFlags {
  readonly authfile: string | undefined;
  readonly "cert-dir": string | undefined;
  readonly "get-login": boolean;
  readonly password: string | undefined;
  readonly "password-stdin": boolean;
  readonly "tls-verify": boolean | undefined;
  readonly username: string | undefined;
  readonly verbose: boolean;
}

/** `ramekin login`. */
export async function logIn(flags: LoginFlags, server: string | undefined, context: Context): Promise<number> {
  const registry = serverName(server);
  const { authfile: authFile } = flags;
  if (flags["get-login"]) {
    const username = await (await context.engine()).account(registry, { authFile });
    if (username === undefined) throw new StatusError(`not logged in to ${registry}`, exitStatus.failure);
    context.print(username);
    return exitStatus.ok;
  }
  check(flags);
  if (flags.password !== undefined) context.note("WARNING! Using --password via the CLI is insecure. Use --password-stdin.");
  const untold = flags.username === undefined && flags.password === undefined;
  const how = { authFile, certificates: flags["cert-dir"], verify: flags["tls-verify"], signal: context.interruption.signal };
  if (untold && (await withKept(registry, how, context))) return exitStatus.ok;

  const account = await accountFrom(flags, registry, context);
  const { kept } = await (await context.engine()).login(registry, { ...how, account });
  if (kept && "path" in kept) {
    context.note("");
    context.note(`WARNING! Your credentials are stored unencrypted in '${kept.path}'.`);
    context.note("Configure a credential helper to remove this warning: see docs/registries.md.");
    context.note("");
  }
  if (kept && flags.verbose) context.print(`Used: ${"path" in kept ? kept.path : kept.helper}`);
  context.print("Login Succeeded");
  return exitStatus.ok;
}

function check({ username, password, "password-stdin": fromStdin }: LoginFlags): void {
  if (!fromStdin) return;
  if (password !== undefined) throw new UsageError("conflicting options: cannot specify both --password and --password-stdin");
  if (username === undefined) throw new UsageError("the --password-stdin option requires --username to be set");
}

/** As Docker: whoever is logged in and says nothing wants to know whether that still holds. */
async function withKept(registry: string, how: LoginOptions, context: Context): Promise<boolean> {
  const engine = await context.engine();
  const username = await engine.account(registry, how);
  try {
    if (username !== undefined) context.note(`Authenticating with existing credentials... [Username: ${username}]`);
    await engine.login(registry, how);
    context.print("Login Succeeded");
    return true;
  } catch (error) {
    if (isRamekinError(error, "UNAUTHENTICATED")) context.note(`Login did not succeed: ${error.message}`);
    else if (!isRamekinError(error, "FAILED_PRECONDITION")) throw error;
    return false;
  }
}

async function accountFrom(flags: LoginFlags, registry: string, context: Context): Promise<{ username: string; password: string }> {
  if (flags["password-stdin"]) return { username: flags.username ?? "", password: await passwordFrom(context) };
  if (flags.username !== undefined && flags.password !== undefined) return { username: flags.username, password: flags.password };
  if (context.stdin.isTTY !== true) {
    throw new StatusError("cannot perform an interactive login from a non TTY device", exitStatus.failure, "use -u and --password-stdin");
  }
  using terminal = asker(context);
  const username = flags.username ?? (await terminal.ask(registry === "docker.io" ? "Username: " : `Username for ${registry}: `));
  return { username: username.trim(), password: flags.password ?? (await terminal.askHidden("Password: ")) };
}

/** All of it but the line break at its end, which editors and `echo` add. */
async function passwordFrom({ stdin }: Context): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stdin) chunks.push(Buffer.from(chunk));
  const password = Buffer.concat(chunks)
    .toString("utf8")
    .replace(/\r?\n$/, "");
  if (password === "") throw new StatusError("the password on stdin is empty", exitStatus.failure);
  return password;
}
