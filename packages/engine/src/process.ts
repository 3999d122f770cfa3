import { posix } from "node:path";
import { RamekinError } from "@ramekin/core";
import { defaultPath, type ImageRunConfig } from "@ramekin/oci";
import type { ContainerOptions } from "./api.ts";

/** The first process's argv. An entry point of one's own makes the image's Cmd meaningless, so it goes with the image's Entrypoint. */
export function processArgs(
  image: ImageRunConfig,
  { image: name, command = [], entrypoint }: Pick<ContainerOptions, "image" | "command" | "entrypoint">,
): readonly string[] {
  const first = (entrypoint ?? image.Entrypoint ?? []).filter((word, index) => index > 0 || word !== ""); // `--entrypoint ""` clears it
  const rest = command.length > 0 ? command : entrypoint === undefined ? (image.Cmd ?? []) : [];
  const args = [...first, ...rest];
  if (args.length > 0 && args[0] !== "") return args;
  throw new RamekinError("INVALID_ARGUMENT", `no command specified: image ${name} has neither entrypoint nor command`, {
    hint: "name one behind the image",
  });
}

/** Defaults, then the image's variables, then those asked for; the later of a name wins and keeps the place of the first. */
export function processEnv(
  image: ImageRunConfig,
  options: Pick<ContainerOptions, "env" | "tty" | "unsetEnv" | "unsetAllEnv">,
  hostname: string,
): readonly string[] {
  const env = new Map<string, string>([
    ["PATH", defaultPath],
    ["HOSTNAME", hostname],
    ...(options.tty ? ([["TERM", "xterm"]] as const) : []),
  ]);
  for (const entry of image.Env ?? []) {
    const equals = entry.indexOf("=");
    env.set(equals < 0 ? entry : entry.slice(0, equals), equals < 0 ? "" : entry.slice(equals + 1));
  }
  if (options.unsetAllEnv) env.clear();
  for (const name of options.unsetEnv ?? []) env.delete(name);
  for (const [name, value] of Object.entries(options.env ?? {})) env.set(checkedName(name), value);
  return [...env].map(([name, value]) => `${name}=${value}`);
}

/** As Docker writes it down, in the container's configuration and in an image made of it: what was asked for, then what the image adds. */
export function configuredEnv(
  image: readonly string[],
  { env = {}, unsetEnv = [], unsetAllEnv = false }: Pick<ContainerOptions, "env" | "unsetEnv" | "unsetAllEnv">,
): readonly string[] {
  const without = new Set([...unsetEnv, ...Object.keys(env)]);
  const inherited = unsetAllEnv ? [] : image.filter((entry) => !without.has(entry.split("=", 1)[0] as string));
  return [...Object.entries(env).map(([name, value]) => `${name}=${value}`), ...inherited];
}

function checkedName(name: string): string {
  if (name !== "" && !/[=\0]/.test(name)) return name;
  throw new RamekinError("INVALID_ARGUMENT", `invalid environment variable ${JSON.stringify(name)}`);
}

/** What the user asks for must be absolute; what an image says is taken from the root, as everybody does. */
export function processCwd(image: ImageRunConfig, asked: string | undefined): string {
  if (asked === undefined || asked === "") return posix.resolve("/", image.WorkingDir ?? "/");
  if (!asked.startsWith("/"))
    throw new RamekinError("INVALID_ARGUMENT", `the working directory ${JSON.stringify(asked)} is not an absolute path`);
  return posix.resolve(asked);
}

/** Where nobody names one. Looked up like any other: its groups and its HOME are the image's to say. */
export const defaultUser = "0";

/** Who it is, where that needs no passwd(5); the supervisor looks up the rest. */
export function numericUser(user: string | undefined): { readonly uid: number; readonly gid: number } | undefined {
  const match = /^([0-9]+)(?::([0-9]+))?$/.exec(user ?? "");
  return match ? { uid: Number(match[1]), gid: Number(match[2] ?? 0) } : undefined;
}
