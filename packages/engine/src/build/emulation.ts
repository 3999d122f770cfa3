import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Platform, RamekinError } from "@ramekin/core";
import { formatPlatform, normalizePlatform, platformRank } from "@ramekin/oci";

/** ELF's class, byte order and e_machine, in hex, as binfmt_misc shows them (elf(5), linux/elf-em.h). */
const machines: Readonly<Record<string, string>> = {
  amd64: "02 01 3e00",
  "386": "01 01 0300",
  arm64: "02 01 b700",
  arm: "01 01 2800",
  riscv64: "02 01 f300",
  ppc64le: "02 01 1500",
  ppc64: "02 02 0015",
  s390x: "02 02 0016",
  loong64: "02 01 0201",
  mips64le: "02 01 0800",
  mips64: "02 02 0008",
  mipsle: "01 01 0800",
  mips: "01 02 0008",
};

/** An interpreter that the kernel starts for programs of another machine (Documentation/admin-guide/binfmt-misc.rst). */
export interface Interpreter {
  readonly path: string;
  readonly machine: string;
  /** The kernel holds it open: it works where its path does not lead to it, as in a container. */
  readonly fixed: boolean;
}

/** A file of /proc/sys/fs/binfmt_misc; undefined for one that is off, or that is not told by an ELF header. */
export function readInterpreter(text: string): Interpreter | undefined {
  const [state, ...lines] = text.split("\n");
  const value = (name: string) =>
    lines
      .find((line) => line.startsWith(`${name} `))
      ?.slice(name.length + 1)
      .trim();
  const magic = value("magic");
  const path = value("interpreter");
  if (state !== "enabled" || magic === undefined || path === undefined || value("offset") !== "0") return undefined;
  if (!magic.startsWith("7f454c46") || magic.length < 40) return undefined;
  const machine = `${magic.slice(8, 10)} ${magic.slice(10, 12)} ${magic.slice(36, 40)}`;
  return { path, machine, fixed: (lines.find((line) => line.startsWith("flags:")) ?? "").includes("F") };
}

/** UNSUPPORTED when programs of that platform do not run here, neither by themselves nor by an interpreter. */
export async function checkRunnable(here: Platform, wanted: Platform, directory = "/proc/sys/fs/binfmt_misc"): Promise<void> {
  if (platformRank(here, wanted) !== undefined) return;
  const platform = formatPlatform(wanted);
  const machine = machines[normalizePlatform(wanted).architecture];
  const found = (await interpreters(directory)).filter((each) => each.machine === machine);
  if (wanted.os === here.os && found.some(({ fixed }) => fixed)) return;
  const reason = found[0]
    ? `its interpreter ${found[0].path} is registered without the flag F, so that containers do not have it`
    : "this machine does not run its programs";
  throw new RamekinError("UNSUPPORTED", `RUN for ${platform}: ${reason}`, {
    hint: found[0]
      ? "register it again with the flag F, as Debian's qemu-user-static is"
      : "install qemu-user-static, or build with FROM --platform=$BUILDPLATFORM and copy the result",
  });
}

async function interpreters(directory: string): Promise<readonly Interpreter[]> {
  const names = await readdir(directory).catch(() => []); // not mounted, or no such thing in this kernel: there are none
  const texts = await Promise.all(
    names.filter((name) => name !== "register" && name !== "status").map((name) => readFile(join(directory, name), "utf8").catch(() => "")),
  );
  return texts.flatMap((text) => readInterpreter(text) ?? []);
}
