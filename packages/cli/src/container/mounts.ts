import { readdir } from "node:fs/promises";
import { isAbsolute, resolve } from "node:path";
import { type Objections, RamekinError } from "@ramekin/core";
import type { BindMount, ContainerMount, MountOptions, TmpfsMount, VolumeMount, VolumesFrom } from "@ramekin/engine";
import type { FlagValues } from "../verb.ts";
import { isPropagation, propagations, readMount } from "./mount-fields.ts";
import type { mountFlags } from "./mount-flags.ts";
import { checkTarget, invalid, readMode, readSize } from "./mount-values.ts";
import { parseSecret } from "./secrets.ts";

/** What the flags of mounts ask for; each that makes no sense is objected to. */
export async function mountOptions(
  flags: FlagValues<typeof mountFlags>,
  objections: Objections,
  workingDirectory: string,
): Promise<MountOptions & { readonly readOnly?: boolean }> {
  const driver = flags["volume-driver"];
  const globs = await Promise.all(flags.mount.map((text) => objections.await(matchesOf(text, workingDirectory))));
  const mounts: ContainerMount[] = [
    ...objections.each(flags.volume, (text) => parseVolume(text, workingDirectory, driver)),
    ...flags.mount.flatMap((text, index) => globs[index] ?? objections.hear(() => readMount(text, workingDirectory)) ?? []),
    ...objections.each(flags.tmpfs, parseTmpfs),
  ];
  const volumesFrom = objections.each(flags["volumes-from"], parseVolumesFrom);
  const secrets = objections.each(flags.secret, parseSecret);
  return {
    mounts,
    ...(volumesFrom.length > 0 && { volumesFrom }),
    ...(secrets.length > 0 && { secrets }),
    ...(flags["read-only"] && { readOnly: true }),
    ...(flags["read-only-tmpfs"] && { readOnlyTmpfs: true }),
  };
}

/** Podman's `type=glob`: each match of the source below the target. Undefined for other types. */
async function matchesOf(text: string, workingDirectory: string): Promise<ContainerMount[] | undefined> {
  if (!/(?:^|,)"?type=glob(?:"|,|$)/i.test(text)) return undefined;
  const one = readMount(text.replace(/type=glob/i, "type=bind"), workingDirectory) as BindMount;
  const found: ContainerMount[] = [];
  for (const match of await glob(one.source))
    found.push({ ...one, source: match, target: `${one.target}/${match.slice(match.lastIndexOf("/") + 1)}` });
  if (found.length === 0) throw new RamekinError("NOT_FOUND", `no file paths matching glob ${JSON.stringify(one.source)}`);
  return found.sort((a, b) => (a.target < b.target ? -1 : 1));
}

/** As a shell's, without brackets: a star never stands for a slash, nor for a dot in front. */
async function glob(pattern: string): Promise<readonly string[]> {
  let found = [""];
  for (const part of pattern.split("/").slice(1)) {
    const expression = new RegExp(
      `^${part
        .replace(/[.+^${}()|[\]\\]/g, "\\$&")
        .replaceAll("*", ".*")
        .replaceAll("?", ".")}$`,
    );
    const next = found.map(async (directory) => {
      const names = await readdir(`${directory}/`).catch(() => []);
      return names
        .filter((name) => expression.test(name) && (part.startsWith(".") || !name.startsWith(".")))
        .map((name) => `${directory}/${name}`);
    });
    found = (await Promise.all(next)).flat();
  }
  return found;
}

/**
 * `--volume [SOURCE:]TARGET[:OPTIONS]`. A path that does not exist becomes a directory, as in Docker; relative ones begin with a dot:
 * a bare word is the name of a volume, and nothing at all makes one without a name.
 */
export function parseVolume(text: string, workingDirectory: string, driver?: string): BindMount | VolumeMount {
  const parts = text.split(":");
  if (parts.length > 3) throw invalid(`volume ${text} has too many parts`, "[source:]container-path[:options]");
  if (parts[0] === "") throw invalid(`invalid volume specification: '${text}'`, "[source:]container-path[:options]");
  const [source, target, options] = parts.length === 1 ? [undefined, parts[0], ""] : [parts[0], parts[1], parts[2] ?? ""];
  const made = { target: checkTarget(target ?? "", text) };
  const isPath = source !== undefined && (isAbsolute(source) || /^\.\.?(\/|$)/.test(source));
  const words = options === "" ? [] : options.split(",");
  if (!isPath) {
    const volume = { type: "volume" as const, ...made, ...(source !== undefined && { source }), ...(driver !== undefined && { driver }) };
    return { ...volume, ...readVolumeWords(words, text) };
  }
  return { type: "bind", source: resolve(workingDirectory, source), ...made, createSource: true, ...readBindWords(words, text) };
}

// rw is the default; z and Z are about SELinux labels, the others about Docker Desktop's file sharing: nothing where there is neither
const idle = ["rw", "z", "Z", "cached", "consistent", "delegated", "default"];
const flagsOfMounts = ["nosuid", "suid", "nodev", "dev", "noexec", "exec"];

function readVolumeWords(words: readonly string[], whole: string): Partial<VolumeMount> {
  const options = words.filter((word) => flagsOfMounts.includes(word));
  for (const word of words) {
    if (!["ro", "nocopy", "copy", "U", "idmap", ...idle, ...flagsOfMounts].includes(word)) throw unknownWord(whole, word);
  }
  return {
    ...(words.includes("ro") && { readOnly: true }),
    ...(words.includes("nocopy") && { noCopy: true }),
    ...(words.includes("U") && { chown: true }),
    ...(words.includes("idmap") && { idmap: true }),
    ...(options.length > 0 && { options }),
  };
}

function readBindWords(words: readonly string[], whole: string): Partial<BindMount> & { readOnly: boolean } {
  const options = words.filter((word) => flagsOfMounts.includes(word));
  const propagation = words.findLast(isPropagation);
  for (const word of words) {
    if (!["ro", "U", "O", "idmap", "bind", "rbind", ...idle, ...flagsOfMounts].includes(word) && !isPropagation(word))
      throw unknownWord(whole, word);
  }
  if (words.includes("O") && words.includes("ro")) throw invalid(`volume ${whole}: O keeps what is written apart, ro allows none`);
  return {
    readOnly: words.includes("ro"),
    ...(propagation !== undefined && isPropagation(propagation) && { propagation }),
    ...(words.includes("bind") && { recursive: "disabled" as const }),
    ...(words.includes("U") && { chown: true }),
    ...(words.includes("O") && { overlay: true }),
    ...(words.includes("idmap") && { idmap: true }),
    ...(options.length > 0 && { options }),
  };
}

function unknownWord(whole: string, word: string): RamekinError {
  if (word.startsWith("idmap="))
    return new RamekinError("UNSUPPORTED", `volume ${whole}: only the container's own map can be had for a mount`, {
      hint: "idmap alone is that map",
    });
  return invalid(`invalid mode: ${word}`, `known are ro, rw, z, Z, U, O, idmap, nocopy, ${propagations.join(", ")}`);
}

/** `--tmpfs TARGET[:OPTIONS]`, options as in mount(8). */
export function parseTmpfs(text: string): TmpfsMount {
  const at = text.indexOf(":");
  const target = checkTarget(at < 0 ? text : text.slice(0, at), text);
  const options: string[] = [];
  let size: number | undefined;
  let mode: number | undefined;
  for (const option of at < 0 ? [] : text.slice(at + 1).split(",")) {
    if (option.startsWith("size=") && !option.endsWith("%")) size = readSize(option.slice("size=".length), text);
    else if (option.startsWith("mode=")) mode = readMode(option.slice("mode=".length), text);
    else if (option !== "") options.push(option);
  }
  return {
    type: "tmpfs",
    target,
    words: at < 0 ? "" : text.slice(at + 1),
    ...(size !== undefined && { size }),
    ...(mode !== undefined && { mode }),
    ...(options.length > 0 && { options }),
  };
}

/** `CONTAINER[:ro|rw]`. */
export function parseVolumesFrom(text: string): VolumesFrom {
  const [container = "", ...modes] = text.split(":");
  if (container === "") throw invalid("invalid volumes-from specification: empty", "--volumes-from CONTAINER[:ro|rw]");
  const words = modes
    .join(":")
    .split(",")
    .filter((word) => word !== "");
  const unknown = words.find((word) => !["ro", "rw", "z", "Z"].includes(word));
  if (unknown !== undefined) throw invalid(`invalid mode: ${unknown}`, "--volumes-from CONTAINER[:ro|rw]");
  return { container, ...(words.includes("ro") ? { readOnly: true } : words.includes("rw") ? { readOnly: false } : {}) };
}
