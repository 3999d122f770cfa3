import { RamekinError } from "@ramekin/core";
import type { CapabilitySets } from "./runtime-config.ts";

/** In the kernel's order (linux/capability.h): the index is the number, and so the bit in `/proc/PID/status`. */
export const allCapabilities = words(`
  CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN
  NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME
  SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON
  BPF CHECKPOINT_RESTORE`);

/** Docker's fourteen, mask 0xa80425fb. */
export const defaultCapabilities = words(`
  CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE`);

/** As `--cap-add` and `--cap-drop`: with or without `CAP_`, in any case, `ALL` for all. An unknown one is an INVALID_ARGUMENT. */
export function chooseCapabilities(change: { readonly add?: readonly string[]; readonly drop?: readonly string[] } = {}): string[] {
  const { add = [], drop = [] } = change;
  const dropped = new Set(drop.flatMap(expand));
  const isAll = (name: string) => name.toUpperCase() === "ALL";
  // What is named wins over what ALL covers, and added over dropped: Docker's TweakCapabilities.
  const named = new Set(drop.filter((name) => !isAll(name)).flatMap(expand));
  const added = add.some(isAll) ? allCapabilities.filter((name) => !named.has(name)) : add.flatMap(expand);
  const chosen = new Set([...defaultCapabilities.filter((name) => !dropped.has(name)), ...added]);
  return allCapabilities.filter((name) => chosen.has(name));
}

/**
 * What a process starts with. Inheritable and ambient stay empty for everybody: inheritable ones come back through files
 * that carry capabilities (CVE-2022-29162). A user other than root has them in the bounding set alone, and gains them
 * only through set-user-ID and file capabilities.
 */
export function capabilitySets(capabilities: readonly string[], uid: number): CapabilitySets {
  const held = uid === 0 ? capabilities : [];
  return { bounding: capabilities, effective: held, permitted: held, inheritable: [], ambient: [] };
}

/** As in the `Cap…` lines of `/proc/PID/status`. */
export function capabilityMask(capabilities: readonly string[]): bigint {
  return capabilities.flatMap(expand).reduce((mask, name) => mask | (1n << BigInt(allCapabilities.indexOf(name))), 0n);
}

/** The inverse: what a mask from `/proc/PID/status` (hexadecimal there) stands for; bits that we have no name for are left out. */
export function maskedCapabilities(mask: bigint): readonly string[] {
  return allCapabilities.filter((_, bit) => (mask >> BigInt(bit)) & 1n);
}

function expand(name: string): readonly string[] {
  const upper = name.toUpperCase();
  if (upper === "ALL") return allCapabilities;
  const full = upper.startsWith("CAP_") ? upper : `CAP_${upper}`;
  if (!allCapabilities.includes(full)) throw new RamekinError("INVALID_ARGUMENT", `unknown capability ${name}`);
  return [full];
}

function words(text: string): readonly string[] {
  return text
    .trim()
    .split(/\s+/)
    .map((word) => `CAP_${word}`);
}
