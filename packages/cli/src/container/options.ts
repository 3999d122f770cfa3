import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { Objections, RamekinError } from "@ramekin/core";
import type { ContainerOptions } from "@ramekin/engine";
import { parsePlatform } from "@ramekin/oci";
import { defined } from "../values/defined.ts";
import { parseEnvironment, parseEnvironmentFile, parseLabels } from "../values/key-value.ts";
import { parseSignal } from "../values/signal.ts";
import type { FlagValues } from "../verb.ts";
import type { containerFlags } from "./flags.ts";
import { mountOptions } from "./mounts.ts";
import { namespaceOptions } from "./namespaces.ts";
import { processOptions } from "./processes.ts";
import { resourceOptions } from "./resources.ts";
import { securityOptions } from "./security.ts";
import { supervisionOptions } from "./supervision.ts";

export type ContainerFlagValues = FlagValues<typeof containerFlags>;

/** Where the flags were typed. */
export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly workingDirectory: string;
}

/** What the flags of `run` and `create` ask the engine for; rejects with what is wrong with them. */
export async function containerOptions(
  flags: ContainerFlagValues,
  [image = "", ...command]: readonly string[],
  surroundings: Surroundings,
): Promise<ContainerOptions> {
  const { environment, workingDirectory } = surroundings;
  const objections = new Objections();
  const root = flags.rootfs ? objections.hear(() => rootDirectory(image, workingDirectory)) : undefined;
  const options = defined({
    ...resourceOptions(flags, objections),
    ...securityOptions(flags, objections),
    ...namespaceOptions(flags, objections),
    ...processOptions(flags, objections, surroundings),
    ...supervisionOptions(flags, objections),
    ...(await mountOptions(flags, objections, workingDirectory)),
    image: root?.path ?? image,
    rootDirectory: root,
    command: command.length > 0 ? command : undefined,
    // an empty one clears the image's
    entrypoint: flags.entrypoint === undefined ? undefined : flags.entrypoint === "" ? [] : [flags.entrypoint],
    name: flags.name,
    platform: flags.platform === undefined ? undefined : objections.hear(() => parsePlatform(flags.platform as string)),
    pull: flags.pull as "always" | "missing" | "never",
    env: await objections.await(environmentFrom(flags, environment)),
    workdir: objections.hear(() => workdirFrom(flags.workdir)),
    user: flags.user,
    hostname: flags.hostname,
    labels: await objections.await(labelsFrom(flags)),
    network: objections.hear(() => networkFrom(flags.network)),
    tty: flags.tty,
    init: flags.init,
    autoRemove: flags.rm,
    stopSignal: flags["stop-signal"] === undefined ? undefined : objections.hear(() => parseSignal(flags["stop-signal"] as string)),
    stopTimeout: flags["stop-timeout"],
  });
  objections.raise();
  return options;
}

/** Podman's `DIRECTORY[:O][:idmap]`. */
function rootDirectory(text: string, workingDirectory: string): NonNullable<ContainerOptions["rootDirectory"]> {
  const [directory = "", ...options] = text.split(":");
  const unknown = options.filter((option) => option !== "O" && option !== "idmap");
  if (directory === "" || unknown.length > 0) {
    throw new RamekinError("INVALID_ARGUMENT", `no root directory: ${text}`, { hint: "--rootfs DIRECTORY[:O][:idmap]" });
  }
  return { path: resolve(workingDirectory, directory), overlay: options.includes("O"), idmap: options.includes("idmap") };
}

/** Files first, then `--env`, whatever their order on the line. */
export async function environmentFrom(
  flags: { readonly env: readonly string[]; readonly "env-file": readonly string[]; readonly "env-host"?: boolean },
  caller: Surroundings["environment"],
): Promise<Record<string, string>> {
  const texts = flags["env-host"] ? Object.keys(caller).filter((name) => name !== "") : [];
  for (const path of flags["env-file"]) texts.push(...parseEnvironmentFile(await readLines(path, "environment"), path));
  return parseEnvironment([...texts, ...flags.env], caller);
}

/** Files first, as with variables; there is nothing to take a value from that is not given. */
async function labelsFrom(flags: Pick<ContainerFlagValues, "label" | "label-file">): Promise<Record<string, string>> {
  const texts: string[] = [];
  for (const path of flags["label-file"]) texts.push(...parseEnvironmentFile(await readLines(path, "label"), path));
  return parseLabels([...texts, ...flags.label]);
}

async function readLines(path: string, what: string): Promise<string> {
  return await readFile(path, "utf8").catch((cause: NodeJS.ErrnoException) => {
    const code = cause.code === "ENOENT" ? "NOT_FOUND" : "PERMISSION_DENIED";
    throw new RamekinError(code, `cannot read the ${what} file ${path}: ${cause.message}`, { cause });
  });
}

/** Names of drivers go to the engine, which knows those of plugins; what no driver can be is refused here. */
function networkFrom(name: string | undefined): string | undefined {
  if (name === "bridge" || name === "default") {
    throw new RamekinError("UNSUPPORTED", `network ${name} needs the network driver bridge, which this version does not have`, {
      hint: "--network none for no network, --network host for the host's",
    });
  }
  if (name !== undefined && /^(pasta|slirp4netns)(:|$)/.test(name)) {
    throw new RamekinError(
      "UNSUPPORTED",
      `network ${name} needs a network driver ${name.split(":", 1)[0]}, which this version does not have`,
      {
        hint: "--network none for no network, --network host for the host's",
      },
    );
  }
  return name;
}

function workdirFrom(path: string | undefined): string | undefined {
  if (path !== undefined && !path.startsWith("/")) {
    throw new RamekinError("INVALID_ARGUMENT", `the working directory ${path} is not absolute`);
  }
  return path;
}
