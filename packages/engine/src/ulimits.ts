import { readFileSync } from "node:fs";
import type { Objections } from "@ramekin/core";
import { maskedCapabilities, type Rlimit } from "@ramekin/oci";
import type { ResourceOptions, Ulimit } from "./resource-options.ts";

/** By the name that people type; the title is the one in /proc/PID/limits. */
const kinds: Readonly<Record<string, string>> = {
  as: "Max address space",
  core: "Max core file size",
  cpu: "Max cpu time",
  data: "Max data size",
  fsize: "Max file size",
  locks: "Max file locks",
  memlock: "Max locked memory",
  msgqueue: "Max msgqueue size",
  nice: "Max nice priority",
  nofile: "Max open files",
  nproc: "Max processes",
  rss: "Max resident set",
  rtprio: "Max realtime priority",
  rttime: "Max realtime timeout",
  sigpending: "Max pending signals",
  stack: "Max stack size",
};

const unlimited = -1;

/** RLIM_INFINITY is no number of JavaScript's: the supervisor takes −1 for it. */
export function planUlimits(
  ulimits: ResourceOptions["ulimits"] = {},
  { objections, rootless }: { readonly objections: Objections; readonly rootless: boolean },
): readonly Rlimit[] {
  const ours = rootless || !canRaise() ? ownHardLimits() : undefined;
  return Object.entries(ulimits).flatMap(([name, limit]): Rlimit[] => {
    const title = kinds[name];
    if (title === undefined) {
      objections.add("INVALID_ARGUMENT", `no such ulimit: ${name}`, `known are ${Object.keys(kinds).join(", ")}`);
      return [];
    }
    const most = ours?.(title);
    if (isMore(limit.soft, limit.hard)) {
      objections.add("INVALID_ARGUMENT", `ulimit ${name}: the soft limit ${limit.soft} is more than the hard limit ${limit.hard}`);
    } else if (most !== undefined && isMore(limit.hard, most)) {
      objections.add(
        "PERMISSION_DENIED",
        `ulimit ${name}=${spell(limit)} is more than our own hard limit of ${most}, which only CAP_SYS_RESOURCE may raise`,
        `ask for ${name}=${most} at most`,
      );
    }
    return [{ type: `RLIMIT_${name.toUpperCase()}`, soft: limit.soft, hard: limit.hard }];
  });
}

/** Nobody lowers a score below his own without CAP_SYS_RESOURCE (proc_pid_oom_score_adj(5)). */
export function checkOomScore(score: number | undefined, { objections, rootless }: { objections: Objections; rootless: boolean }): void {
  if (score === undefined) return;
  if (!Number.isInteger(score) || score < -1000 || score > 1000) {
    objections.add("INVALID_ARGUMENT", `an OOM score adjustment of ${score} is not between -1000 and 1000`);
    return;
  }
  const own = Number(readFileSync("/proc/self/oom_score_adj", "utf8"));
  if (score < own && (rootless || !canRaise())) {
    objections.add(
      "PERMISSION_DENIED",
      `an OOM score adjustment of ${score} is below our own of ${own}, which takes CAP_SYS_RESOURCE`,
      `ask for ${own} or more`,
    );
  }
}

const isMore = (one: number, other: number) => other !== unlimited && (one === unlimited || one > other);
const spell = ({ soft, hard }: Ulimit) => (soft === hard ? String(hard) : `${soft}:${hard}`);

function canRaise(): boolean {
  const mask = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
  return maskedCapabilities(BigInt(`0x${mask ?? "0"}`)).includes("CAP_SYS_RESOURCE");
}

function ownHardLimits(): (title: string) => number | undefined {
  const text = readFileSync("/proc/self/limits", "utf8");
  return (title) => {
    const hard = text
      .split("\n")
      .find((line) => line.startsWith(title))
      ?.slice(title.length)
      .trim()
      .split(/\s+/)[1];
    return hard === undefined ? undefined : hard === "unlimited" ? unlimited : Number(hard);
  };
}
