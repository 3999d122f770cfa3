import { readFile } from "node:fs/promises";
import { RamekinError } from "@ramekin/core";
import type { ContainerOptions } from "@ramekin/engine";
import { parsePlatform } from "@ramekin/oci";
import { parseEnvironment, parseEnvironmentFile, parseLabels } from "../values/key-value.ts";
import { parseSignal } from "../values/signal.ts";
import type { FlagValues } from "../verb.ts";
import type { containerFlags } from "./flags.ts";
import { parseMount, parseTmpfs, parseVolume } from "./mounts.ts";

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
  { environment, workingDirectory }: Surroundings,
): Promise<ContainerOptions> {
  const resources = resourcesFrom(flags);
  const mounts = [
    ...flags.volume.map((text) => parseVolume(text, workingDirectory)),
    ...flags.mount.map((text) => parseMount(text, workingDirectory)),
    ...flags.tmpfs.map(parseTmpfs),
  ];
  return defined({
    image,
    command: command.length > 0 ? command : undefined,
    // an empty one clears the image's
    entrypoint: flags.entrypoint === undefined ? undefined : flags.entrypoint === "" ? [] : [flags.entrypoint],
    name: flags.name,
    platform: flags.platform === undefined ? undefined : parsePlatform(flags.platform),
    pull: flags.pull as "always" | "missing" | "never",
    env: await environmentFrom(flags, environment),
    workdir: workdirFrom(flags.workdir),
    user: flags.user,
    hostname: flags.hostname,
    labels: parseLabels(flags.label),
    mounts,
    network: networkFrom(flags.network),
    tty: flags.tty,
    init: flags.init,
    readOnly: flags["read-only"],
    resources,
    autoRemove: flags.rm,
    stopSignal: flags["stop-signal"] === undefined ? undefined : parseSignal(flags["stop-signal"]),
    stopTimeout: flags["stop-timeout"],
  });
}

/** Files first, then `--env`, whatever their order on the line. */
export async function environmentFrom(
  flags: { readonly env: readonly string[]; readonly "env-file": readonly string[] },
  caller: Surroundings["environment"],
): Promise<Record<string, string>> {
  const texts: string[] = [];
  for (const path of flags["env-file"]) {
    const text = await readFile(path, "utf8").catch((cause: NodeJS.ErrnoException) => {
      const code = cause.code === "ENOENT" ? "NOT_FOUND" : "PERMISSION_DENIED";
      throw new RamekinError(code, `cannot read the environment file ${path}: ${cause.message}`, { cause });
    });
    texts.push(...parseEnvironmentFile(text, path));
  }
  return parseEnvironment([...texts, ...flags.env], caller);
}

function resourcesFrom(flags: ContainerFlagValues): ContainerOptions["resources"] {
  const { memory, cpus } = flags;
  const pids = flags["pids-limit"];
  if (cpus !== undefined && cpus < 0.001)
    throw new RamekinError("INVALID_ARGUMENT", `${cpus} CPUs are too few`, { hint: "0.001 is the least" });
  const period = 100_000;
  const resources = defined({
    // as Docker: as much swap again as memory
    memory: memory ? { limit: memory, swap: memory * 2 } : undefined,
    cpu: cpus ? { quota: Math.round(cpus * period), period } : undefined,
    pids: pids ? { limit: pids } : undefined,
  });
  return Object.keys(resources).length > 0 ? resources : undefined;
}

/** Names of drivers go to the engine, which knows those of plugins; what no driver can be is refused here. */
function networkFrom(name: string | undefined): string | undefined {
  if (name === "bridge" || name === "default") {
    throw new RamekinError("UNSUPPORTED", `network ${name} needs the network driver bridge, which this version does not have`, {
      hint: "--network none for no network, --network host for the host's",
    });
  }
  if (name !== undefined && /^(container|ns|pasta|slirp4netns)(:|$)/.test(name)) {
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

type Defined<T> = { [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined> } & {
  [K in keyof T as undefined extends T[K] ? never : K]: T[K];
};

/** Without the fields that are undefined: the contracts tell absent from undefined. */
function defined<T extends object>(fields: T): Defined<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Defined<T>;
}
