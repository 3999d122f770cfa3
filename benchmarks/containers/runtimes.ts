import { execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { installed, program } from "../start/program.ts";
import type { ContainerEngine } from "./engine.ts";

/** A bare OCI runtime over unpacked bundles: no image, no snapshot, no log, no supervisor. */
export function runtime(name: "runc" | "crun", directory: string, rootfs: string): ContainerEngine {
  const home = join(directory, `bare-${name}`);
  const state = ["--root", join(home, "state")];
  const started = new Set<string>();
  let count = 0;
  const bundle = (program: string, args: readonly string[]) => {
    const path = join(home, program);
    mkdirSync(path, { recursive: true });
    execFileSync("cp", ["-a", rootfs, join(path, "rootfs")]);
    execFileSync(installed("runc") ? "runc" : name, ["spec"], { cwd: path });
    const file = join(path, "config.json");
    const spec = JSON.parse(readFileSync(file, "utf8"));
    spec.process.terminal = false;
    spec.process.args = args;
    spec.process.rlimits = []; // raising one needs CAP_SYS_RESOURCE
    writeFileSync(`${file}.new`, JSON.stringify(spec));
    renameSync(`${file}.new`, file);
  };
  const id = (container: string) => `bench-${process.pid}-${container}`;
  return {
    name,
    ...(!installed(name) && { absent: `${name} is not installed` }),
    async open() {
      mkdirSync(home);
      bundle("true", ["/bin/true"]);
      bundle("sleep", ["/bin/sleep", "100000"]);
    },
    async close() {
      for (const container of started) await program(name, [...state, "delete", "--force", id(container)]);
      started.clear();
    },
    run: () => program(name, [...state, "run", "--bundle", join(home, "true"), id(`run-${count++}`)]),
    async start(container) {
      started.add(container);
      await detached(name, [...state, "run", "--detach", "--bundle", join(home, "sleep"), id(container)]);
    },
    exec: (container) => program(name, [...state, "exec", id(container), "/bin/true"]),
    async pid(container) {
      const { stdout } = await promisify(execFile)(name, [...state, "state", id(container)]);
      return Number(JSON.parse(stdout).pid);
    },
  };
}

/** Its stdio becomes the container's, so none of it may be a pipe that somebody waits at. */
async function detached(command: string, args: readonly string[]): Promise<void> {
  const [code] = await once(spawn(command, args, { stdio: "ignore" }), "exit");
  if (code !== 0) throw new Error(`${command} ${args.join(" ")}: ${code}`);
}
