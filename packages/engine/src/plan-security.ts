import { existsSync, readFileSync } from "node:fs";
import { type Objections, RamekinError } from "@ramekin/core";
import {
  allCapabilities,
  chooseCapabilities,
  defaultMaskedPaths,
  defaultReadonlyPaths,
  maskedCapabilities,
  type SeccompProfile,
} from "@ramekin/oci";
import type { ContainerOptions } from "./container-options.ts";
import { hostDevices } from "./devices.ts";
import type { SandboxSpec } from "./sandbox.ts";

interface Judge {
  readonly rootless: boolean;
  readonly objections: Objections;
}

/** Everything of `SecurityOptions`, checked and in the words of the runtime spec. */
export async function planSecurity(options: ContainerOptions, judge: Judge): Promise<SandboxSpec> {
  const { objections } = judge;
  const { privileged = false, noNewPrivileges, apparmor, writableCgroups = privileged } = options;
  const capabilities = objections.hear(() => planCapabilities(options));
  const profile = objections.hear(() => checkApparmor(apparmor));
  const seccomp = options.seccomp ?? (privileged ? "unconfined" : undefined);
  if (seccomp !== undefined && seccomp !== "unconfined") objections.hear(() => checkSeccomp(seccomp));
  for (const path of [...(options.mask ?? []), ...(options.unmask ?? [])]) {
    if (!path.startsWith("/") && path.toUpperCase() !== "ALL")
      objections.add("INVALID_ARGUMENT", `the path ${path} to hide or show is not absolute`);
  }
  return {
    ...(capabilities && { capabilities }),
    ...(noNewPrivileges && { noNewPrivileges }),
    ...(profile !== undefined && { apparmorProfile: profile }),
    ...(seccomp && { seccomp }),
    ...paths(options),
    ...(writableCgroups && { writableCgroups }),
    ...(privileged && { writableSys: true }),
    ...(privileged && !judge.rootless && { everyDevice: await hostDevices() }),
  };
}

/** What nobody may give away is not in ALL, and refused by name. */
function planCapabilities({ capAdd, capDrop, privileged }: ContainerOptions): readonly string[] | undefined {
  if (!capAdd && !capDrop && !privileged) return undefined;
  const chosen = chooseCapabilities(privileged ? { add: ["ALL"] } : { add: capAdd ?? [], drop: capDrop ?? [] });
  const held = new Set(ownCapabilities());
  const missing = (privileged ? [] : chooseCapabilities({ drop: ["ALL"], add: (capAdd ?? []).filter(isNoneOfAll) })).filter(
    (name) => !held.has(name),
  );
  if (missing.length > 0) {
    throw new RamekinError("PERMISSION_DENIED", `cannot give ${missing.join(", ")}: we do not have it ourselves`, {
      hint: "leave it out; nobody can pass on a capability that is not in his own bounding set",
    });
  }
  return chosen.filter((name) => held.has(name));
}

const isNoneOfAll = (name: string) => name.toUpperCase() !== "ALL";

function ownCapabilities(): readonly string[] {
  const mask = /^CapBnd:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
  return mask === undefined ? allCapabilities : maskedCapabilities(BigInt(`0x${mask}`));
}

function paths({ privileged, mask = [], unmask = [] }: ContainerOptions): SandboxSpec {
  const all = privileged || unmask.some((path) => !isNoneOfAll(path));
  if (!all && mask.length === 0 && unmask.length === 0) return {};
  const shown = new Set(unmask);
  const keep = (defaults: readonly string[]) => (all ? [] : defaults.filter((path) => !shown.has(path)));
  return { maskedPaths: [...keep(defaultMaskedPaths), ...mask], readonlyPaths: keep(defaultReadonlyPaths) };
}

function checkApparmor(profile: string | undefined): string | undefined {
  if (profile === undefined || profile === "unconfined") return undefined;
  if (existsSync("/sys/module/apparmor")) return profile;
  throw new RamekinError("UNSUPPORTED", `the AppArmor profile ${profile} cannot be enforced: this kernel has no AppArmor`, {
    hint: "--security-opt apparmor=unconfined, or leave it out",
  });
}

function checkSeccomp(profile: SeccompProfile): void {
  if (typeof profile !== "object" || profile === null || typeof profile.defaultAction !== "string")
    throw new RamekinError("INVALID_ARGUMENT", "the seccomp profile has no defaultAction");
  if (!Array.isArray(profile.syscalls ?? [])) throw new RamekinError("INVALID_ARGUMENT", "syscalls of the seccomp profile is no list");
  if ([profile.defaultAction, ...(profile.syscalls ?? []).map(({ action }) => action)].includes("SCMP_ACT_NOTIFY"))
    throw new RamekinError("UNSUPPORTED", "the seccomp profile asks for a listener (SCMP_ACT_NOTIFY), which this version does not have");
}
