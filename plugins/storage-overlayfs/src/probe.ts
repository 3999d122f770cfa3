import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { PluginContext, Support } from "@ramekin/core";
import { nativeProgram, probeFilesystem } from "@ramekin/native";

/** Trying costs a process and a mount; the answer holds for this boot, user and device. */
export async function probe({ root, runRoot, signal }: Pick<PluginContext, "root" | "runRoot" | "signal">): Promise<Support> {
  nativeProgram("ramekin-rootfs"); // what others have found out is of no use to who cannot act on it
  mkdirSync(root, { recursive: true, mode: 0o700 });
  const uid = process.geteuid?.() ?? 0;
  const subject = `${uid} ${statSync(root).dev} ${root}`;
  const cache = join(runRoot, "probe.json");
  const cached = read(cache);
  if (cached?.subject === subject) return cached.support;

  const support = answer(await probeFilesystem(root, { signal }), uid === 0, root);
  // An answer of no is worth asking again: a package or a mount option may have been added meanwhile.
  if (support.ok) {
    mkdirSync(runRoot, { recursive: true, mode: 0o700 });
    writeFileSync(cache, JSON.stringify({ subject, support }));
  }
  return support;
}

/** What was tried, as the kernel and `ramekin doctor` want it. */
export function answer(found: Awaited<ReturnType<typeof probeFilesystem>>, isRoot: boolean, root: string): Support {
  if (isRoot ? found.overlay : found.overlayUser) return { ok: true, rank: 100 };
  const { overlay, overlayUser } = found.reasons;
  if (isRoot) {
    return {
      ok: false,
      reason: `no overlay mount below ${root}: ${overlay ?? "the kernel refuses"}`,
      hint: "run modprobe overlay, choose a --root that is not on an overlay or network file system, or --storage-driver vfs",
    };
  }
  if (!found.xattrUser) {
    return {
      ok: false,
      reason: `the file system of ${root} keeps no user.* attributes`,
      hint: "choose a --root on ext4, xfs or btrfs, or --storage-driver vfs",
    };
  }
  return {
    ok: false,
    reason: `no overlay mount without root below ${root}: ${overlayUser ?? "the kernel refuses"}`,
    hint: "Linux 5.11 or later can; else use --storage-driver vfs",
  };
}

function read(path: string): { readonly subject: string; readonly support: Support } | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined; // absent or torn: found out anew
  }
}
