import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { RamekinError } from "@ramekin/core";
import { UsageError } from "../argv/status-error.ts";
import type { Context } from "../context.ts";
import { exitStatus } from "../exit-status.ts";

const unit = "ramekin.service";

/** Where systemd.unit(5) looks for units of the administrator, or of a user. */
interface Place {
  readonly directory: string;
  readonly target: "multi-user.target" | "default.target";
  readonly user: boolean;
}

/** `ramekin system service ACTION`. */
export async function changeService(action: string, flags: { readonly user: boolean }, context: Context): Promise<number> {
  if (action === "install") return await installService(flags, context);
  if (action === "uninstall") return await uninstallService(flags, context);
  throw new UsageError(`unknown action ${JSON.stringify(action)}: install or uninstall`);
}

/** From the next boot on, the containers come back that are to. */
async function installService(flags: { readonly user: boolean }, context: Context): Promise<number> {
  const place = placeFor(flags.user, context);
  const engine = await context.engine();
  const text = unitText(place, ownCommand(), engine);
  const file = join(place.directory, unit);
  const wants = join(place.directory, `${place.target}.wants`);
  try {
    await mkdir(wants, { recursive: true });
    await writeFile(`${file}.tmp`, text, { mode: 0o644 });
    await rename(`${file}.tmp`, file);
    // what `systemctl enable` does, here also where no systemd runs yet: in a chroot, on a disk that is being made
    await rm(join(wants, unit), { force: true });
    await symlink(join("..", unit), join(wants, unit));
  } catch (cause) {
    throw notAllowed(cause, file);
  }
  context.print(file);
  await reload(place, context);
  if (place.user) context.note("a user's services start with his first login; at boot after `loginctl enable-linger`");
  return exitStatus.ok;
}

async function uninstallService(flags: { readonly user: boolean }, context: Context): Promise<number> {
  const place = placeFor(flags.user, context);
  const file = join(place.directory, unit);
  if (!existsSync(file)) throw new RamekinError("NOT_FOUND", `no service is installed: ${file}`);
  try {
    await rm(join(place.directory, `${place.target}.wants`, unit), { force: true });
    await rm(file);
  } catch (cause) {
    throw notAllowed(cause, file);
  }
  context.print(file);
  await reload(place, context);
  return exitStatus.ok;
}

function placeFor(user: boolean, { environment }: Context): Place {
  if (!user) return { directory: "/etc/systemd/system", target: "multi-user.target", user };
  const configuration = environment["XDG_CONFIG_HOME"] || join(environment["HOME"] || homedir(), ".config");
  return { directory: join(configuration, "systemd", "user"), target: "default.target", user };
}

/** This very command: PATH and installations may change. */
const ownCommand = (): readonly string[] => [process.execPath, ...process.execArgv, process.argv[1] ?? ""];

/**
 * `KillMode=process` and no main process: supervisors and containers are the unit's own processes, and stopping the unit must
 * not end them. When the machine goes down they get SIGTERM with all others.
 */
export function unitText(
  place: Pick<Place, "target" | "user">,
  command: readonly string[],
  store: { readonly root: string; readonly runRoot: string },
): string {
  const words = [...command, "--root", store.root, "--runroot", store.runRoot, "system", "start-all"];
  return `[Unit]
Description=Containers of Ramekin that come back after a restart
After=${place.user ? "basic.target" : "network-online.target"}
${place.user ? "" : "Wants=network-online.target\n"}RequiresMountsFor=${quoted(store.root)} ${quoted(store.runRoot)}

[Service]
Type=oneshot
RemainAfterExit=yes
KillMode=process
Delegate=yes
TimeoutStartSec=infinity
ExecStart=${words.map(quoted).join(" ")}

[Install]
WantedBy=${place.target}
`;
}

/** systemd.service(5), "Command lines", and systemd.syntax(7), "Quoting": `%` and `$` mean something to it. */
function quoted(word: string): string {
  const escaped = word.replaceAll("%", "%%").replaceAll("$", "$$$$");
  return /^[\w@%+=:,./$-]+$/.test(escaped) ? escaped : `"${escaped.replace(/["\\]/g, "\\$&")}"`;
}

/** Only where systemd runs; a unit that is not loaded yet is loaded at the next boot. */
async function reload(place: Place, context: Context): Promise<void> {
  if (!existsSync("/run/systemd/system")) return;
  try {
    await promisify(execFile)("systemctl", [...(place.user ? ["--user"] : []), "daemon-reload"]);
  } catch (error) {
    context.note(`ramekin: warning: ${(error as Error).message.trim()}`);
  }
}

function notAllowed(cause: unknown, file: string): unknown {
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code !== "EACCES" && code !== "EPERM" && code !== "EROFS") return cause;
  return new RamekinError("PERMISSION_DENIED", `cannot write ${file}: ${message}`, { cause, hint: "as root, or with --user" });
}
