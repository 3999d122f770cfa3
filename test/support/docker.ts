import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { command, missing, succeed } from "./command.ts";
import { busyboxImage, canonical } from "./images.ts";
import { eventually } from "./test.ts";

// The command of the daemon's own package: a later one is not of its age, and leaves BuildKit to a plugin.
const docker = "/usr/bin/docker";
export const noDocker = missing("dockerd", "containerd", "runc", "skopeo") ?? (existsSync(docker) ? undefined : `not installed: ${docker}`);

/** A dockerd of our own without a bridge, in a mount namespace of its own, with the image busybox; `command` speaks to it. */
export async function dockerDaemon(): Promise<{ readonly command: readonly string[]; readonly folder: string } & AsyncDisposable> {
  // The path of a socket has 107 bytes at most: the kitchen's are too long.
  const folder = await mkdtemp("/var/tmp/ramekin-");
  await writeFile(join(folder, "none.json"), "{}");
  const socket = join(folder, "sock");
  const places = ["--data-root", join(folder, "data"), "--exec-root", join(folder, "exec"), "--pidfile", join(folder, "pid")];
  const without = ["--config-file", join(folder, "none.json"), "--bridge", "none", "--iptables=false", "--ip6tables=false"];
  const argv = ["--mount", "--propagation", "private", "dockerd", "-H", `unix://${socket}`, ...places, ...without];
  const daemon = spawn("unshare", argv, { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [daemon.stdout, daemon.stderr])
    stream.on("data", (chunk: Buffer) => {
      said = `${said}${chunk}`.slice(-4000);
    });
  const ended = new Promise((resolve) => daemon.once("exit", resolve));
  const client = [docker, "-H", `unix://${socket}`];
  const close = async () => {
    daemon.kill("SIGTERM");
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await eventually(async () => {
      const ready = daemon.exitCode === null && existsSync(socket) && (await command([...client, "version"])).code === 0;
      if (!ready) throw new Error(`dockerd does not answer:\n${said}`);
    }, 60);
    const archive = join(folder, "busybox.tar");
    const { folder: layout } = await busyboxImage();
    await succeed(["skopeo", "copy", "--quiet", `oci:${layout}:${canonical("busybox")}`, `docker-archive:${archive}:busybox:latest`]);
    await succeed([...client, "load", "-i", archive]);
  } catch (error) {
    await close();
    throw error;
  }
  return { command: client, folder, [Symbol.asyncDispose]: close };
}
