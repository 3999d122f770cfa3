import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { dockerDaemon } from "../start/docker.ts";
import { installed, program } from "../start/program.ts";
import type { ContainerEngine } from "./engine.ts";

interface Command {
  readonly name: string;
  readonly argv: readonly [string, ...string[]];
  readonly env: NodeJS.ProcessEnv;
  readonly image: string;
  open(): Promise<unknown>;
  close(): Promise<unknown>;
}

/** Docker, podman and we understand the same line. */
function engine({ name, argv: [file, ...global], env, image, open, close }: Command): ContainerEngine {
  const call = (...args: string[]) => program(file, [...global, ...args], { env });
  const none = ["--network", "none"];
  return {
    name,
    open,
    close,
    run: () => call("run", "--rm", ...none, image, "/bin/true"),
    start: (container) => call("run", "-d", ...none, "--name", container, image, "/bin/sleep", "100000"),
    exec: (container) => call("exec", container, "/bin/true"),
    create: (container) => call("create", ...none, "--name", container, image, "/bin/true"),
    list: () => call("ps", "--all"),
    async pid(container) {
      const { stdout } = await promisify(execFile)(file, [...global, "inspect", "--format", "{{.State.Pid}}", container], { env });
      return Number(stdout.trim());
    },
  };
}

/** The built command; NODE_EXTRA_CA_CERTS is unset for it: it costs a Node 20 some 75 ms per start. */
export function ramekin(directory: string, layout: string): ContainerEngine {
  const main = join(import.meta.dirname, "..", "..", "packages", "cli", "dist", "main.cjs");
  const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;
  const argv = [process.execPath, main, "--root", join(directory, "ramekin-root"), "--runroot", join(directory, "ramekin-run")] as const;
  const [file, ...global] = argv;
  return engine({
    name: "ramekin",
    argv: [file, ...global],
    env,
    image: "docker.io/library/bench:latest",
    open: () => program(file, [...global, "load", "-i", layout], { env }),
    async close() {
      const { stdout } = await promisify(execFile)(file, [...global, "ps", "-aq", "--no-trunc"], { env });
      const ids = stdout.split("\n").filter((id) => id !== "");
      for (let at = 0; at < ids.length; at += 100) await program(file, [...global, "rm", "--force", ...ids.slice(at, at + 100)], { env });
    },
  });
}

export function podman(oci: "runc" | "crun", directory: string, tar: string): ContainerEngine {
  const home = join(directory, `podman-${oci}`);
  mkdirSync(home);
  const configuration = join(home, "containers.conf");
  // Debian's default ulimits need CAP_SYS_RESOURCE.
  const limits = '[containers]\ndefault_ulimits = ["nofile=1024:1024","nproc=1000:1000"]\n';
  writeFileSync(configuration, `${limits}[engine]\nevents_logger = "file"\ncgroup_manager = "cgroupfs"\n`);
  const env = { ...process.env, CONTAINERS_CONF: configuration };
  const places = ["--root", join(home, "root"), "--runroot", join(home, "run"), "--tmpdir", join(home, "tmp")];
  const global = [...places, "--storage-driver", "overlay", "--runtime", oci];
  const made = engine({
    name: `podman+${oci}`,
    argv: ["podman", ...global],
    env,
    image: "localhost/bench",
    open: () => program("podman", [...global, "import", "--quiet", tar, "localhost/bench"], { env }),
    close: () => program("podman", [...global, "rm", "--all", "--force", "--time", "0"], { env }),
  });
  const lacking = ["podman", oci].find((needed) => !installed(needed));
  return lacking === undefined ? made : { ...made, absent: `${lacking} is not installed` };
}

export function docker(directory: string, tar: string): ContainerEngine {
  const daemon = dockerDaemon(join(directory, "docker"));
  const global = ["--host", daemon.socket];
  const made = engine({
    name: "docker",
    argv: ["docker", ...global],
    env: process.env,
    image: "bench",
    async open() {
      await daemon.open();
      await program("docker", [...global, "import", tar, "bench"]);
    },
    async close() {
      const { stdout } = await promisify(execFile)("docker", [...global, "ps", "-aq"]);
      const ids = stdout.split("\n").filter((id) => id !== "");
      if (ids.length > 0) await program("docker", [...global, "rm", "--force", ...ids]);
      await daemon.close();
    },
  });
  return daemon.absent === undefined ? made : { ...made, absent: daemon.absent };
}
