import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type IdMapping, Objections, RamekinError } from "@ramekin/core";
import type { ContainerOptions } from "./container-options.ts";
import type { Scope } from "./scope.ts";
import { isThere } from "./store/containers.ts";
import { readJsonIfThere, replaceFile } from "./store/files.ts";
import { withLock } from "./store/lock.ts";

/** Which ids of the host a container's are. */
export interface IdMap {
  readonly uids: readonly IdMapping[];
  readonly gids: readonly IdMapping[];
}

/** Finds the ids once the container has an id of its own to hold them by. */
export type UsernsPlan = (scope: Scope, containerId: string) => Promise<IdMap>;

/** As much as images use: ids of users are seldom above it. */
const slotSize = 65_536;
/** Ids that nobody hands out where /etc/subuid says nothing: above the ranges of useradd(8), below systemd's for transient units' guests. */
const spare: Range = { start: 0x40000000, size: 0x10000000 };

interface Range {
  readonly start: number;
  readonly size: number;
}

/** All ids but the one that stands for none. As Podman for root, whose own id is thereby kept: what is new is only how far its power reaches. */
const all = [{ containerID: 0, hostID: 0, size: 2 ** 32 - 1 }];
const everyone: IdMap = { uids: all, gids: all };

/** Undefined for the host's user namespace. */
export function planUserns(options: ContainerOptions, rootless: boolean): UsernsPlan | undefined {
  const { userns = "", uidMaps = [], gidMaps = [], subuidName, subgidName } = options;
  const asksForMaps = uidMaps.length > 0 || gidMaps.length > 0 || subuidName !== undefined || subgidName !== undefined;
  const mode = userns === "" ? (asksForMaps ? "private" : "host") : (userns.split(":", 1)[0] as string);
  const objections = new Objections();
  const object = (message: string, hint?: string) => objections.add("INVALID_ARGUMENT", message, hint);
  if (!["host", "private", "auto", "keep-id", "nomap"].includes(mode))
    object(`no such user namespace: ${userns}`, "known are host, private, auto, keep-id");
  if (userns.startsWith("keep-id:")) object(`no such user namespace: ${userns}`, "keep-id alone keeps the caller's own ids");
  if (mode === "nomap" && !rootless)
    objections.add("UNSUPPORTED", "--userns nomap leaves the caller's own id out, which for root is root's", "--userns auto, or --uidmap");
  if (mode !== "private" && asksForMaps)
    object(`conflicting options: maps of ids and --userns ${mode}`, "maps make a private one by themselves");
  if (mode === "host") {
    objections.raise();
    return undefined;
  }
  if (rootless)
    objections.add(
      "UNSUPPORTED",
      "without root a container has the caller's user namespace, and no other",
      "leave out --userns and the maps",
    );
  for (const [flag, value] of [
    ["privileged", options.privileged || undefined],
    ["pid", shared(options.pid)],
    ["ipc", shared(options.ipc)],
    ["network", shared(options.network)],
  ] as const) {
    if (value !== undefined) object(`conflicting options: --${flag}${value === true ? "" : ` ${value}`} and a user namespace of its own`);
  }
  const size = objections.hear(() => readSize(userns)) ?? slotSize;
  if ((subuidName !== undefined || subgidName !== undefined) && (uidMaps.length > 0 || gidMaps.length > 0))
    object("conflicting options: maps of ids and names of ranges");
  const given = asksForMaps ? objections.hear(() => givenMap(options)) : undefined;
  objections.raise();
  if (mode === "keep-id") return async () => everyone;
  return given ? async () => given : (scope, id) => takeSlot(scope, id, size);
}

/** The kernel lets nobody mount or join for a namespace that his user namespace does not own. */
function shared(choice: string | undefined): string | undefined {
  return choice === "host" || /^(?:container|ns):/.test(choice ?? "") ? choice : undefined;
}

/** `auto:size=N`. */
function readSize(userns: string): number {
  const [mode, ...rest] = userns.split(":");
  const text = rest.join(":");
  if (text === "") return slotSize;
  const size = Number(/^size=(\d+)$/.exec(text)?.[1]);
  if (mode === "auto" && size >= 1 && size <= slotSize) return size;
  throw new RamekinError("INVALID_ARGUMENT", `no such user namespace: ${userns}`, { hint: `auto:size=N, N being at most ${slotSize}` });
}

function givenMap({ uidMaps, gidMaps, subuidName, subgidName }: ContainerOptions): IdMap {
  if (subuidName !== undefined || subgidName !== undefined) {
    const user = subuidName ?? (subgidName as string);
    return { uids: sequence(mustFind("/etc/subuid", user)), gids: sequence(mustFind("/etc/subgid", subgidName ?? user)) };
  }
  // As Podman: what is said for one kind alone goes for the other.
  const uids = uidMaps?.length ? uidMaps : (gidMaps ?? []);
  const gids = gidMaps?.length ? gidMaps : uids;
  checkMap(uids, "uid");
  checkMap(gids, "gid");
  return { uids, gids };
}

function checkMap(map: readonly IdMapping[], kind: string): void {
  const overlaps = (side: "containerID" | "hostID") =>
    map.some((one, index) =>
      map.slice(index + 1).some((other) => one[side] < other[side] + other.size && other[side] < one[side] + one.size),
    );
  for (const { containerID, hostID, size } of map) {
    if (size < 1 || containerID + size > 2 ** 32 - 1 || hostID + size > 2 ** 32 - 1)
      throw new RamekinError("INVALID_ARGUMENT", `no map of ${kind}s: ${containerID}:${hostID}:${size}`);
  }
  if (overlaps("containerID") || overlaps("hostID")) throw new RamekinError("INVALID_ARGUMENT", `the maps of ${kind}s overlap`);
  if (!map.some(({ containerID }) => containerID === 0))
    throw new RamekinError("INVALID_ARGUMENT", `the maps of ${kind}s have no 0: the container would have no root`, {
      hint: `--${kind}map 0:HOST:SIZE`,
    });
}

/** All ranges, one after the other, from 0. */
function sequence(ranges: readonly Range[]): IdMapping[] {
  let containerID = 0;
  return ranges.map(({ start, size }) => {
    const mapping = { containerID, hostID: start, size };
    containerID += size;
    return mapping;
  });
}

function mustFind(file: string, user: string): readonly Range[] {
  const ranges = subordinate(file, user);
  if (ranges.length > 0) return ranges;
  throw new RamekinError("NOT_FOUND", `no ids for ${user} in ${file}`, { hint: `a line such as ${user}:100000:65536 gives it some` });
}

/** subuid(5). */
function subordinate(file: string, user: string): Range[] {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    return []; // nobody has any
  }
  return text.split("\n").flatMap((line) => {
    const [name, start, size] = line.split(":");
    return name === user && /^\d+$/.test(start ?? "") && /^\d+$/.test(size ?? "") ? [{ start: Number(start), size: Number(size) }] : [];
  });
}

/** A range that no other container has. What a container held is free when the container is gone: nobody has to give it back. */
async function takeSlot(scope: Scope, id: string, size: number): Promise<IdMap> {
  const directory = join(scope.paths.root, "userns");
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const file = join(directory, "slots.json");
  return withLock(join(directory, ".lock"), { exclusive: true, signal: scope.signal }, async () => {
    const held: Record<string, string> = {};
    for (const [start, holder] of Object.entries((await readJsonIfThere<Record<string, string>>(file)) ?? {}))
      if (await isThere(scope.paths.container(holder).directory)) held[start] = holder;
    const start = slots().find((candidate) => !(candidate in held));
    if (start === undefined) {
      throw new RamekinError("RESOURCE_EXHAUSTED", "no ids are left for one more user namespace", {
        hint: "give the user containers more of them in /etc/subuid and /etc/subgid, or remove containers",
      });
    }
    await replaceFile(file, JSON.stringify({ ...held, [start]: id }));
    const map = [{ containerID: 0, hostID: start, size }];
    return { uids: map, gids: map };
  });
}

/** Those of the user `containers`, as Podman has it, that are both uids and gids. */
function slots(): readonly number[] {
  const [uids, gids] = [subordinate("/etc/subuid", "containers"), subordinate("/etc/subgid", "containers")];
  const common = uids.filter(({ start, size }) => gids.some((other) => other.start === start && other.size === size));
  return (common.length > 0 ? common : [spare]).flatMap(({ start, size }) =>
    Array.from({ length: Math.floor(size / slotSize) }, (_, index) => start + index * slotSize),
  );
}
