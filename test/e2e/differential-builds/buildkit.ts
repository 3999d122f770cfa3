import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { busyboxImage, canonical, command, eventually, missing, readImage, succeed } from "../../support/index.ts";
import { attemptOf, doneByVertex } from "./attempt.ts";
import type { Builder } from "./builders.ts";

// A current BuildKit is in no Debian. Both programs come from the Go module registry: `go build github.com/moby/buildkit/cmd/buildkitd` in a
// module that requires it. What is recorded is that of 0.34.2.
export const noBuildkit = missing("buildkitd", "buildctl");

export async function buildkit(): Promise<Builder & AsyncDisposable> {
  const folder = await mkdtemp("/var/tmp/ramekin-buildkit-");
  const address = `unix://${join(folder, "sock")}`;
  const own = ["--root", join(folder, "root"), "--addr", address, "--oci-worker-snapshotter", "overlayfs", "--containerd-worker=false"];
  const argv = ["--mount", "--propagation", "private", "buildkitd", ...own];
  const daemon = spawn("unshare", argv, { stdio: "ignore" });
  const ended = new Promise((resolve) => daemon.once("exit", resolve));
  const close = async () => {
    daemon.kill("SIGTERM");
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  const { folder: layout } = await busyboxImage();
  const { descriptor } = await readImage(layout, canonical("busybox"));
  const base = ["busybox", "busybox:latest"].flatMap((name) => ["--opt", `context:${name}=oci-layout://base@${descriptor.digest}`]);
  try {
    await eventually(() => succeed(["buildctl", "--addr", address, "debug", "workers"]), 30);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    name: "buildkit",
    async build(context, flags, image) {
      const locals = ["--local", `context=${context}`, "--local", `dockerfile=${context}`, "--oci-layout", `base=${layout}`, ...base];
      const exported = `type=oci,tar=false,dest=${join(folder, image ?? "")},name=docker.io/library/${image}:latest`;
      const output = image === undefined ? [] : ["--output", exported];
      const build = ["buildctl", "--addr", address, "build", "--progress", "plain", "--frontend", "dockerfile.v0"];
      const options = [...locals, ...asked(flags), "--opt", "force-network-mode=none", ...output];
      return attemptOf(await command([...build, ...options], { timeout: 120_000 }), doneByVertex);
    },
    save: async (images) => images.map((image) => join(folder, image)),
    [Symbol.asyncDispose]: close,
  };
}

/** docker's flags in buildctl's words. */
function asked(flags: readonly string[]): readonly string[] {
  const words: string[] = [];
  for (let at = 0; at < flags.length; at += 2) {
    const [flag = "", value = ""] = flags.slice(at, at + 2);
    if (flag === "--secret") words.push(flag, value);
    else if (flag === "--target") words.push("--opt", `target=${value}`);
    else words.push("--opt", `${flag.slice(2)}:${value}`);
  }
  return words;
}
