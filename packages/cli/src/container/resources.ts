import { type Objections, RamekinError } from "@ramekin/core";
import type { ContainerOptions, GpuOption, ResourceOptions, Ulimit } from "@ramekin/engine";
import { parseBytes } from "../values/bytes.ts";
import { defined } from "../values/defined.ts";
import type { FlagValues } from "../verb.ts";
import type { deviceLimitFlags, limitFlags, resourceFlags } from "./resource-flags.ts";

export type LimitFlagValues = FlagValues<typeof limitFlags>;
export type DeviceLimitFlagValues = FlagValues<typeof deviceLimitFlags>;
export type ResourceFlagValues = FlagValues<typeof resourceFlags>;

type Limits = Pick<ContainerOptions, "resources" | "cpus" | "blockIO">;

const invalid = (message: string, hint?: string) => new RamekinError("INVALID_ARGUMENT", message, hint === undefined ? {} : { hint });

/** Limits that `run`, `create` and `update` have in common; zero says nothing, as in Docker. */
export function limitsFrom(flags: LimitFlagValues, objections: Objections): Limits {
  const swap = objections.hear(() => readSwap(flags["memory-swap"]));
  const resources = defined({
    memory: filled({ limit: flags.memory, swap, reservation: flags["memory-reservation"] }),
    cpu: filled({
      shares: flags["cpu-shares"],
      quota: flags["cpu-quota"],
      period: flags["cpu-period"],
      realtimeRuntime: flags["cpu-rt-runtime"],
      realtimePeriod: flags["cpu-rt-period"],
      cpus: flags["cpuset-cpus"],
      mems: flags["cpuset-mems"],
    }),
    pids: flags["pids-limit"] ? { limit: flags["pids-limit"] } : undefined,
  });
  const weight = flags["blkio-weight"];
  return defined({
    resources: Object.keys(resources).length > 0 ? resources : undefined,
    cpus: flags.cpus || undefined,
    blockIO: weight ? { weight } : undefined,
  });
}

/** Of single devices. */
function deviceLimits(flags: DeviceLimitFlagValues, objections: Objections): NonNullable<Limits["blockIO"]> {
  return defined({
    weights: list(objections.each(flags["blkio-weight-device"], readWeight)),
    readBps: list(objections.each(flags["device-read-bps"], (text) => readRate(text, readBytes))),
    writeBps: list(objections.each(flags["device-write-bps"], (text) => readRate(text, readBytes))),
    readIops: list(objections.each(flags["device-read-iops"], (text) => readRate(text, readCount))),
    writeIops: list(objections.each(flags["device-write-iops"], (text) => readRate(text, readCount))),
  });
}

/** What `update` changes: limits, those of single devices, and what Podman adds. */
export function changedLimits(flags: LimitFlagValues & DeviceLimitFlagValues, objections: Objections): Limits {
  const limits = limitsFrom(flags, objections);
  const swappiness = flags["memory-swappiness"];
  const blockIO = filled({ ...limits.blockIO, ...deviceLimits(flags, objections) });
  return defined({
    ...limits,
    resources:
      swappiness === undefined || swappiness === -1
        ? limits.resources
        : { ...limits.resources, memory: { ...limits.resources?.memory, swappiness } },
    blockIO,
  });
}

/** All of `resource-flags.ts`. */
export function resourceOptions(flags: ResourceFlagValues, objections: Objections): ResourceOptions {
  const limits = limitsFrom(flags, objections);
  const { limit, swap } = limits.resources?.memory ?? {};
  const swappiness = flags["memory-swappiness"];
  const memory = filled({
    ...limits.resources?.memory,
    // as Docker: as much swap again as memory
    swap: swap ?? (limit ? limit * 2 : undefined),
    swappiness: swappiness === -1 ? undefined : swappiness,
    disableOOMKiller: flags["oom-kill-disable"] || undefined,
  });
  const unified = Object.fromEntries(objections.each(flags["cgroup-conf"], (text) => readPair("cgroup-conf", text)));
  const resources = defined({
    ...limits.resources,
    memory,
    unified: Object.keys(unified).length > 0 ? unified : undefined,
  });
  const blockIO = filled({ ...limits.blockIO, ...deviceLimits(flags, objections) });
  const ulimits = Object.fromEntries(objections.each(flags.ulimit, readUlimit));
  const sysctls = Object.fromEntries(objections.each(flags.sysctl, (text) => readPair("sysctl", text)));
  return defined({
    resources: Object.keys(resources).length > 0 ? resources : undefined,
    cpus: limits.cpus,
    blockIO,
    oomScoreAdj: flags["oom-score-adj"],
    ulimits: Object.keys(ulimits).length > 0 ? ulimits : undefined,
    shmSize: flags["shm-size"] || undefined,
    sysctls: Object.keys(sysctls).length > 0 ? sysctls : undefined,
    cgroupParent: flags["cgroup-parent"] || undefined,
    devices: list(objections.each(flags.device, readDevice)),
    deviceRules: list(flags["device-cgroup-rule"]),
    gpus: flags.gpus === undefined ? undefined : objections.hear(() => readGpus(flags.gpus as string)),
  });
}

const list = <T>(all: readonly T[]) => (all.length > 0 ? all : undefined);

/** Undefined when nothing in it is said. */
function filled<T extends object>(fields: T): ReturnType<typeof defined<T>> | undefined {
  const said = defined(Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== 0)) as T);
  return Object.keys(said).length > 0 ? said : undefined;
}

function readSwap(text: string | undefined): number | undefined {
  if (text === undefined || text === "-1") return text === undefined ? undefined : -1;
  const bytes = parseBytes(text);
  if (bytes === undefined) throw invalid(`invalid argument "${text}" for "--memory-swap" flag: invalid size: '${text}'`);
  return bytes;
}

/** `PATH[:TARGET][:ACCESS]`: the second is the access when it looks like one, as in Docker. */
function readDevice(text: string): { source: string; target?: string; access?: string } {
  if (/^[^/:]+\/[^/:=]+=/.test(text)) return { source: text }; // a name of CDI's
  const [source = "", second, third, ...rest] = text.split(":");
  if (rest.length > 0 || source === "") throw invalid(`no device: ${text}`, "--device PATH[:PATH-IN-CONTAINER][:rwm]");
  if (second === undefined) return { source };
  if (third === undefined) return /^[rwm]{1,3}$/.test(second) ? { source, access: second } : { source, target: second };
  return { source, target: second, access: third };
}

/** `all`, a number, or `device=0,1` (in quotes, as for Docker, where it has a comma); other keys are for drivers of other engines. */
function readGpus(text: string): GpuOption {
  if (text === "all") return { count: "all" };
  if (/^\d{1,4}$/.test(text)) return { count: Number(text) };
  const fields = text.replaceAll('"', "").split(/,(?=[a-z]+=)/);
  const chosen: { count?: number | "all"; devices?: readonly string[] } = {};
  for (const field of fields) {
    const [key, value = ""] = splitAtEquals(field);
    if (key === "device" && value !== "") chosen.devices = value.split(",");
    else if (key === "count" && (value === "all" || /^(-1|\d{1,4})$/.test(value)))
      chosen.count = value === "all" || value === "-1" ? "all" : Number(value);
    else throw invalid(`no request for graphics processors: ${text}`, "all, a number, or device=NAME[,NAME]");
  }
  if (chosen.count !== undefined && chosen.devices) throw invalid(`cannot set both count and device: ${text}`);
  return chosen;
}

function splitAtEquals(text: string): [string, string?] {
  const at = text.indexOf("=");
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

function readWeight(text: string): { path: string; weight: number } {
  const { path, value } = splitDevice(text);
  return { path, weight: readCount(value, text) };
}

function readRate(text: string, read: (value: string, text: string) => number): { path: string; rate: number } {
  const { path, value } = splitDevice(text);
  return { path, rate: read(value, text) };
}

function splitDevice(text: string): { path: string; value: string } {
  const at = text.lastIndexOf(":");
  const path = text.slice(0, Math.max(at, 0));
  if (!path.startsWith("/dev/")) throw invalid(`no device and value: ${text}`, "such as /dev/sda:100");
  return { path, value: text.slice(at + 1) };
}

function readBytes(value: string, text: string): number {
  const bytes = parseBytes(value);
  if (bytes === undefined) throw invalid(`invalid rate for device: ${text}`, "such as /dev/sda:1mb");
  return bytes;
}

function readCount(value: string, text: string): number {
  if (!/^\d{1,15}$/.test(value)) throw invalid(`invalid number for device: ${text}`, "such as /dev/sda:100");
  return Number(value);
}

function readPair(flag: string, text: string): [string, string] {
  const at = text.indexOf("=");
  if (at < 1) throw invalid(`no name and value: ${text}`, `--${flag} NAME=VALUE`);
  return [text.slice(0, at).trim(), text.slice(at + 1)];
}

function readUlimit(text: string): [string, Ulimit] {
  const match = /^([a-z]+)=(-?\d+)(?::(-?\d+))?$/.exec(text);
  if (match === null) throw invalid(`no ulimit: ${text}`, "NAME=SOFT[:HARD], such as nofile=1024:2048");
  const [, name = "", soft, hard = soft] = match;
  const number = (digits: string | undefined) => (Number(digits) < 0 ? -1 : Number(digits));
  return [name, { soft: number(soft), hard: number(hard) }];
}
