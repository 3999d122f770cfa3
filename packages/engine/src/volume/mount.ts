import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import { type Mount, RamekinError } from "@ramekin/core";
import { mount, unmount } from "@ramekin/native";
import type { Scope } from "../scope.ts";
import { withLock } from "../store/lock.ts";
import { type VolumeFile, volumePaths } from "../store/volumes.ts";

const known = ["type", "device", "o", "size"];
/** Of each, what it means nothing without. */
const needs: Readonly<Record<string, readonly string[]>> = { device: ["type"], type: ["device"], o: ["device", "type"] };

/** Options of the driver `local`, with Docker's words for what is wrong with them. */
export function checkDriverOptions(options: Readonly<Record<string, string>>): void {
  for (const name of Object.keys(options)) {
    if (!known.includes(name))
      throw new RamekinError("INVALID_ARGUMENT", `invalid option: ${JSON.stringify(name)}`, { hint: `known are ${known.join(", ")}` });
    for (const needed of needs[name] ?? []) {
      if (!options[needed]) throw new RamekinError("INVALID_ARGUMENT", `missing required option: ${JSON.stringify(needed)}`);
    }
  }
  if (options["size"] !== undefined)
    throw new RamekinError("UNSUPPORTED", "quota size requested but no quota support", { hint: "`type=tmpfs` with `o=size=…` has a size" });
}

/** Whether it is a file system of its own, which has to be mounted. */
export const isMountable = ({ options }: Pick<VolumeFile, "options">): boolean => options["device"] !== undefined;

/**
 * Mounts what its options name, where every container of this machine sees it, unless that has happened; after a start of the machine
 * it happens again. It stays mounted until its last container is removed.
 */
export async function mountVolume(scope: Scope, volume: VolumeFile): Promise<void> {
  if (!isMountable(volume)) return;
  const { data, lock } = volumePaths(scope.paths, volume.name);
  if (process.geteuid?.() !== 0)
    throw new RamekinError("UNSUPPORTED", `volume ${volume.name} is a file system to be mounted, which takes root`, {
      hint: "a volume without options is a directory",
    });
  await withLock(lock, { exclusive: true }, async () => {
    if (await isMounted(data)) return;
    try {
      await mount([await mountOf(volume.options)], data);
    } catch (error) {
      throw new RamekinError("FAILED_PRECONDITION", `failed to mount local volume ${volume.name}: ${(error as Error).message}`, {
        cause: error,
      });
    }
  });
}

/** When nobody has it any more. */
export async function unmountVolume(scope: Scope, volume: VolumeFile): Promise<void> {
  if (!isMountable(volume)) return;
  const { data } = volumePaths(scope.paths, volume.name);
  if (!(await isMounted(data))) return;
  await unmount(data);
}

async function mountOf(options: Readonly<Record<string, string>>): Promise<Mount> {
  const given = (options["o"] ?? "").split(",").filter((option) => option !== "");
  return { type: options["type"] ?? "", source: options["device"] ?? "", options: await Promise.all(given.map(withAddress)) };
}

/** The kernel knows no names of machines. */
async function withAddress(option: string): Promise<string> {
  const name = option.startsWith("addr=") ? option.slice("addr=".length) : "";
  if (name === "" || isIP(name) !== 0) return option;
  const { lookup } = await import("node:dns/promises");
  return `addr=${(await lookup(name)).address}`;
}

async function isMounted(path: string): Promise<boolean> {
  const table = await readFile("/proc/self/mountinfo", "utf8");
  const plain = (text: string | undefined) => text?.replace(/\\([0-7]{3})/g, (_, code) => String.fromCharCode(Number.parseInt(code, 8)));
  return table.split("\n").some((line) => plain(line.split(" ")[4]) === path);
}
