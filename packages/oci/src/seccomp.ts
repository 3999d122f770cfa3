import { RamekinError } from "@ramekin/core";
import type { Seccomp, SeccompAction, SeccompArgument, SeccompRule } from "./runtime-config.ts";
import { defaultSeccompProfile } from "./seccomp-profile.ts";

/** What `--security-opt seccomp=FILE` takes: one profile for every machine and every set of capabilities. */
export interface SeccompProfile {
  readonly defaultAction: SeccompAction;
  readonly defaultErrnoRet?: number;
  /** In place of `archMap`: as they stand, for every machine. */
  readonly architectures?: readonly string[] | null;
  readonly flags?: readonly string[] | null;
  readonly archMap?: readonly { readonly architecture: string; readonly subArchitectures?: readonly string[] | null }[];
  readonly syscalls?: readonly SeccompProfileRule[] | null;
}

export interface SeccompProfileRule {
  readonly names?: readonly string[];
  /** As old profiles have it: one. */
  readonly name?: string;
  readonly action: SeccompAction;
  readonly errnoRet?: number;
  readonly args?: readonly SeccompArgument[] | null;
  readonly comment?: string;
  /** All of it must hold. */
  readonly includes?: SeccompCondition;
  /** None of it may hold. */
  readonly excludes?: SeccompCondition;
}

export interface SeccompCondition {
  readonly caps?: readonly string[];
  /** As GOARCH has them, and `x86`, `x32`, `arm` for the 32-bit sides of a machine. */
  readonly arches?: readonly string[];
  /** `MAJOR.MINOR`. */
  readonly minKernel?: string;
}

export interface SeccompMachine {
  /** As in an image's platform: `amd64`, `arm64`. */
  readonly architecture: string;
  /** The bounding set. */
  readonly capabilities: readonly string[];
  /** `uname -r`; absent: new enough for anything. */
  readonly kernel?: string;
}

const native: Readonly<Record<string, string>> = {
  amd64: "SCMP_ARCH_X86_64",
  arm64: "SCMP_ARCH_AARCH64",
  riscv64: "SCMP_ARCH_RISCV64",
  s390x: "SCMP_ARCH_S390X",
  ppc64le: "SCMP_ARCH_PPC64LE",
};

/** The profile as it applies to one machine and one set of capabilities: what config.json takes. */
export function resolveSeccomp(machine: SeccompMachine, profile: SeccompProfile = defaultSeccompProfile): Seccomp {
  const main = native[machine.architecture];
  if (!main) throw new RamekinError("UNSUPPORTED", `no seccomp architecture for ${machine.architecture}`);
  const sub = profile.archMap?.find(({ architecture }) => architecture === main)?.subArchitectures ?? [];
  return {
    defaultAction: profile.defaultAction,
    ...(profile.defaultErrnoRet !== undefined && { defaultErrnoRet: profile.defaultErrnoRet }),
    architectures: profile.architectures?.length ? profile.architectures : [main, ...sub],
    ...(profile.flags?.length && { flags: profile.flags }),
    syscalls: (profile.syscalls ?? []).filter((rule) => applies(rule, machine)).map(plain),
  };
}

/** Lists within `includes` are alternatives for architectures (a machine has one) and conjunctions for capabilities. */
function applies({ includes = {}, excludes = {} }: SeccompProfileRule, { architecture, capabilities, kernel }: SeccompMachine): boolean {
  const held = new Set(capabilities);
  const wanted = (includes.arches?.includes(architecture) ?? true) && (includes.caps?.every((name) => held.has(name)) ?? true);
  const unwanted = (excludes.arches?.includes(architecture) ?? false) || (excludes.caps?.some((name) => held.has(name)) ?? false);
  return wanted && !unwanted && isAtLeast(kernel, includes.minKernel) && !(excludes.minKernel && isAtLeast(kernel, excludes.minKernel));
}

function isAtLeast(kernel: string | undefined, least: string | undefined): boolean {
  if (kernel === undefined || least === undefined) return true;
  const numbers = (version: string) => version.split(/[.-]/, 2).map(Number) as [number, number];
  const [major, minor] = numbers(kernel);
  const [leastMajor, leastMinor] = numbers(least);
  return major > leastMajor || (major === leastMajor && minor >= leastMinor);
}

function plain({ name, names = name === undefined ? [] : [name], action, errnoRet, args }: SeccompProfileRule): SeccompRule {
  return { names, action, ...(errnoRet !== undefined && { errnoRet }), ...(args && args.length > 0 && { args }) };
}
