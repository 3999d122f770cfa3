import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Contender } from "../contender.ts";
import { installed, program } from "./program.ts";

/** The C program that does only the system calls: namespaces, overlay, pivot_root, /proc, /dev and friends, `lo`; with `c`, cgroups v1. */
export function floor(directory: string, rootfs: string): Contender[] {
  const binary = join(directory, "floor");
  const folder = join(directory, "floor-root");
  mkdirSync(folder);
  execFileSync("cc", ["-O2", "-w", "-o", binary, join(import.meta.dirname, "floor.c")]);
  execFileSync("cp", ["-a", rootfs, join(folder, "truefs")]);
  const run = (mode: string) => () => program(binary, [mode, "-n", "1"], { cwd: folder });
  return [
    { name: "floor", run: run("mpnitgodLVS") },
    { name: "floor+cgroup", run: run("mpnitgodLVSc") },
  ];
}

/** A bare OCI runtime over an unpacked bundle with the namespaces that `runc spec` asks for, network included. */
export function runtime(name: "runc" | "crun", directory: string, rootfs: string): Contender {
  if (!installed(name)) return { name, absent: `${name} is not installed` };
  const bundle = join(directory, `bundle-${name}`);
  let count = 0;
  return {
    name,
    async prepare() {
      mkdirSync(bundle);
      execFileSync("cp", ["-a", rootfs, join(bundle, "rootfs")]);
      execFileSync(installed("runc") ? "runc" : name, ["spec"], { cwd: bundle });
      const path = join(bundle, "config.json");
      const spec = JSON.parse(readFileSync(path, "utf8"));
      spec.process.terminal = false;
      spec.process.args = ["/bin/true"];
      spec.process.rlimits = []; // raising one needs CAP_SYS_RESOURCE
      writeFileSync(`${path}.new`, JSON.stringify(spec));
      renameSync(`${path}.new`, path);
    },
    run: () => {
      count += 1;
      return program(name, ["--root", join(directory, `state-${name}`), "run", "--bundle", bundle, `bench-${process.pid}-${count}`]);
    },
  };
}
