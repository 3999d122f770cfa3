import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Contender } from "../contender.ts";
import { installed, program } from "./program.ts";

export interface DockerDaemon {
  readonly absent?: string;
  /** For `--host`. */
  readonly socket: string;
  /** The socket of its containerd. */
  readonly containerd: string;
  open(): Promise<void>;
  close(): Promise<void>;
}

/** A dockerd of our own, without a bridge, with its own containerd, for the time of the run. */
export function dockerDaemon(home: string): DockerDaemon {
  const absent = ["dockerd", "docker", "containerd"].find((needed) => !installed(needed));
  const socket = `unix://${home}/docker.sock`;
  const log = join(home, "dockerd.log");
  let daemon: ChildProcess | undefined;
  const answers = () =>
    program("docker", ["--host", socket, "version"]).then(
      () => true,
      () => false,
    );
  return {
    ...(absent !== undefined && { absent: `${absent} is not installed` }),
    socket,
    containerd: join(home, "exec", "containerd", "containerd.sock"),
    async open() {
      mkdirSync(home);
      const output = openSync(log, "w");
      const places = ["--data-root", join(home, "data"), "--exec-root", join(home, "exec"), "--pidfile", join(home, "pid")];
      const without = ["--bridge", "none", "--iptables=false", "--ip6tables=false"];
      daemon = spawn("dockerd", ["--host", socket, ...places, ...without], { stdio: ["ignore", output, output] });
      const end = Date.now() + 30_000;
      while (!existsSync(join(home, "docker.sock")) || !(await answers())) {
        if (Date.now() > end || daemon.exitCode !== null) throw new Error(`dockerd does not answer; see ${log}`);
        await sleep(200);
      }
    },
    async close() {
      daemon?.kill("SIGTERM");
      for (let wait = 0; daemon && daemon.exitCode === null && wait < 100; wait += 1) await sleep(100);
    },
  };
}

export function docker(directory: string, tar: string): Contender {
  const { absent, socket, open, close } = dockerDaemon(join(directory, "docker"));
  return {
    name: "docker",
    ...(absent !== undefined && { absent }),
    async prepare() {
      await open();
      await program("docker", ["--host", socket, "import", tar, "bench"]);
    },
    run: () => program("docker", ["--host", socket, "run", "--rm", "--network", "none", "bench", "/bin/true"]),
    dispose: close,
  };
}
