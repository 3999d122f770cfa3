import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Effort } from "../contender.ts";
import { dockerDaemon } from "../start/docker.ts";
import { installed, measured, program } from "../start/program.ts";

/** An engine's command with a store of its own, and how that is emptied. */
export interface Client {
  readonly name: string;
  readonly absent?: string;
  open?(): Promise<void>;
  run(...args: string[]): Promise<Effort | undefined>;
  /** Forgets every image. */
  empty(): Promise<void>;
  close?(): Promise<void>;
}

/** The built command, as a person starts it; NODE_EXTRA_CA_CERTS is unset for it: it costs Node some 75 ms per start. */
export function ramekin(directory: string): Client {
  const main = join(import.meta.dirname, "..", "..", "packages", "cli", "dist", "main.cjs");
  const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;
  const root = join(directory, "ramekin");
  return {
    name: "ramekin",
    run: (...args) => measured(process.execPath, [main, "--root", root, "--runroot", `${root}-run`, ...args], { env }),
    async empty() {
      rmSync(root, { recursive: true, force: true });
    },
  };
}

export function podman(directory: string): Client {
  const home = join(directory, "podman");
  mkdirSync(home);
  const configuration = join(home, "containers.conf");
  writeFileSync(configuration, '[engine]\nevents_logger = "file"\ncgroup_manager = "cgroupfs"\n');
  const global = [
    "--root",
    join(home, "root"),
    "--runroot",
    join(home, "run"),
    "--tmpdir",
    join(home, "tmp"),
    "--storage-driver",
    "overlay",
  ];
  const env = { ...process.env, CONTAINERS_CONF: configuration };
  return {
    name: "podman",
    ...(!installed("podman") && { absent: "podman is not installed" }),
    run: (...args) => measured("podman", [...global, ...args], { env }),
    empty: () => program("podman", [...global, "rmi", "--all", "--force"], { env }),
  };
}

/** A daemon's work is not its client's: no resident set is told. */
export function docker(directory: string): Client & { readonly containerd: string } {
  const daemon = dockerDaemon(join(directory, "docker"));
  const run = (...args: string[]) => program("docker", ["--host", daemon.socket, ...args]);
  return {
    name: "docker",
    ...(daemon.absent !== undefined && { absent: daemon.absent }),
    containerd: daemon.containerd,
    open: daemon.open,
    run,
    empty: () => run("system", "prune", "--all", "--force"),
    close: daemon.close,
  };
}
