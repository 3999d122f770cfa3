import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Contender } from "../contender.ts";
import { installed, program } from "./program.ts";

/** A dockerd of our own, without a bridge, with its own containerd, for the time of the run. */
export function docker(directory: string, tar: string): Contender {
  const name = "docker";
  for (const needed of ["dockerd", "docker", "containerd"]) if (!installed(needed)) return { name, absent: `${needed} is not installed` };
  const home = join(directory, "docker");
  mkdirSync(home);
  const socket = `unix://${home}/docker.sock`;
  const log = join(home, "dockerd.log");
  let daemon: ChildProcess | undefined;
  return {
    name,
    async prepare() {
      const output = openSync(log, "w");
      daemon = spawn(
        "dockerd",
        [
          "--host",
          socket,
          "--data-root",
          join(home, "data"),
          "--exec-root",
          join(home, "exec"),
          "--pidfile",
          join(home, "pid"),
          "--bridge",
          "none",
          "--iptables=false",
          "--ip6tables=false",
        ],
        { stdio: ["ignore", output, output] },
      );
      const end = Date.now() + 30_000;
      while (
        !existsSync(join(home, "docker.sock")) ||
        !(await program("docker", ["--host", socket, "version"]).then(
          () => true,
          () => false,
        ))
      ) {
        if (Date.now() > end || daemon.exitCode !== null) throw new Error(`dockerd does not answer; see ${log}`);
        await sleep(200);
      }
      await program("docker", ["--host", socket, "import", tar, "bench"]);
    },
    run: () => program("docker", ["--host", socket, "run", "--rm", "--network", "none", "bench", "/bin/true"]),
    async dispose() {
      daemon?.kill("SIGTERM");
      for (let wait = 0; daemon && daemon.exitCode === null && wait < 100; wait += 1) await sleep(100);
    },
  };
}
