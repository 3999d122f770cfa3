import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, openSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { dockerDaemon } from "../start/docker.ts";
import type { BenchImage } from "../start/image.ts";
import { installed, program } from "../start/program.ts";

/** A builder with a store of its own, which has the base as `localhost/bench` from `open` on. */
export interface Builder {
  readonly name: string;
  readonly absent?: string;
  open(): Promise<void>;
  build(context: string): Promise<undefined>;
  /** Every step, every built image, and what is remembered of contexts; the base stays. */
  forget(): Promise<void>;
  close?(): Promise<void>;
}

/** The built command, as a person starts it; NODE_EXTRA_CA_CERTS is unset for it: it costs Node some 75 ms per start. */
export function ramekin(directory: string, { tar }: BenchImage): Builder {
  const main = join(import.meta.dirname, "..", "..", "packages", "cli", "dist", "main.cjs");
  const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;
  const root = join(directory, "ramekin");
  const run = (...args: string[]) => program(process.execPath, [main, "--root", root, "--runroot", `${root}-run`, ...args], { env });
  return {
    name: "ramekin",
    open: () => run("import", tar, "localhost/bench"),
    build: (context) => run("build", "--quiet", "--network", "none", "--tag", "built", context),
    async forget() {
      await run("rmi", "--force", "built").catch(() => undefined);
      rmSync(join(root, "build-cache"), { recursive: true, force: true });
      await run("system", "prune", "--force");
    },
  };
}

export function buildah(directory: string, { tar }: BenchImage): Builder {
  const home = join(directory, "buildah");
  const own = ["--root", join(home, "root"), "--runroot", join(home, "run"), "--storage-driver", "overlay"];
  const buildah = (...args: string[]) => program("buildah", [...own, ...args]);
  const images = () =>
    execFileSync("buildah", [...own, "images", "--all", "--quiet"], { encoding: "utf8" })
      .split("\n")
      .filter(Boolean);
  let base: readonly string[] = [];
  return {
    name: "buildah",
    ...(!installed("buildah") && { absent: "buildah is not installed" }),
    async open() {
      mkdirSync(home);
      const [made] = execFileSync("buildah", [...own, "from", "scratch"], { encoding: "utf8" }).split("\n");
      await buildah("add", "--quiet", made ?? "", tar, "/");
      await buildah("commit", "--quiet", "--rm", made ?? "", "localhost/bench");
      base = images();
    },
    build: (context) =>
      buildah("build", "--quiet", "--layers", "--jobs", "4", "--network", "none", "--pull=never", "--tag", "built", context),
    async forget() {
      const built = images().filter((image) => !base.includes(image));
      if (built.length > 0) await buildah("rmi", "--force", ...built);
    },
  };
}

/** Docker from Debian: its classic builder, or the BuildKit that is part of it. */
export function docker(directory: string, { tar }: BenchImage, kind: "classic" | "BuildKit"): Builder {
  const { absent, socket, open, close } = dockerDaemon(join(directory, `docker-${kind}`));
  const env = { ...process.env, DOCKER_BUILDKIT: kind === "classic" ? "0" : "1" };
  const run = (...args: string[]) => program("docker", ["--host", socket, ...args], { env });
  const reason =
    absent ?? (kind === "BuildKit" && !speaksBuildKit() ? "docker has no buildx, and is none that needs none (20.10)" : undefined);
  return {
    name: `docker, ${kind}`,
    ...(reason !== undefined && { absent: reason }),
    async open() {
      await open();
      await run("import", tar, "localhost/bench");
    },
    build: (context) => run("build", "--quiet", "--network", "none", "--tag", "built", context),
    async forget() {
      await run("rmi", "--force", "built").catch(() => undefined);
      // A tag keeps the base; `system prune` takes what the classic builder has made.
      await run("system", "prune", "--force");
      await run("builder", "prune", "--all", "--force");
    },
    close,
  };
}

function speaksBuildKit(): boolean {
  if (!installed("docker")) return false;
  const [, major = "0"] = /version (\d+)/.exec(execFileSync("docker", ["--version"], { encoding: "utf8" })) ?? [];
  return Number(major) < 23;
}

/** A current one, which no package of Debian has: RAMEKIN_BENCH_BUILDKIT is the folder with buildkitd and buildctl, or PATH has them. */
export function buildkit(directory: string, { layout }: BenchImage): Builder {
  const folder = process.env["RAMEKIN_BENCH_BUILDKIT"];
  const at = (name: string) => (folder === undefined ? name : join(folder, name));
  const home = join(directory, "buildkit");
  const address = `unix://${join(home, "sock")}`;
  const ctl = (...args: string[]) => program(at("buildctl"), ["--addr", address, ...args]);
  const there = ["buildkitd", "buildctl"].every((name) => (folder === undefined ? installed(name) : existsSync(at(name))));
  let daemon: ChildProcess | undefined;
  let digest = "";
  return {
    name: "buildkitd",
    ...(!there && { absent: "buildkitd and buildctl are not in PATH, and RAMEKIN_BENCH_BUILDKIT names no folder that has them" }),
    async open() {
      mkdirSync(home);
      const output = openSync(join(home, "log"), "w");
      const own = ["--root", join(home, "root"), "--addr", address, "--oci-worker-snapshotter", "overlayfs", "--containerd-worker=false"];
      daemon = spawn(at("buildkitd"), own, { stdio: ["ignore", output, output] });
      const index = JSON.parse(execFileSync("cat", [join(layout, "index.json")], { encoding: "utf8" }));
      digest = index.manifests[0].digest;
      for (let tries = 0; ; tries += 1) {
        try {
          return void (await ctl("debug", "workers"));
        } catch (error) {
          if (tries > 100) throw error;
          await sleep(100);
        }
      }
    },
    // An OCI archive: else it would end without an image, which every other builder has to show.
    build: (context) =>
      ctl(
        ...["build", "--progress", "plain", "--frontend", "dockerfile.v0", "--opt", "force-network-mode=none"],
        ...["--local", `context=${context}`, "--local", `dockerfile=${context}`],
        ...["--oci-layout", `base=${layout}`, "--opt", `context:localhost/bench=oci-layout://base@${digest}`],
        ...["--output", `type=oci,dest=${join(home, "image.tar")}`],
      ),
    forget: () => ctl("prune", "--all"),
    async close() {
      daemon?.kill("SIGTERM");
      for (let wait = 0; daemon && daemon.exitCode === null && wait < 100; wait += 1) await sleep(100);
    },
  };
}
