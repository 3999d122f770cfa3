// node --conditions=ramekin-source test/e2e/differential-builds/record-buildkit.ts BUILDKITD BUILDCTL [CASE...]
// writes into buildkit.json what the given BuildKit makes of the cases (it was 0.34.2). It is as slow to install as it is quick to remember; both
// come from the Go module registry: `go build github.com/moby/buildkit/cmd/buildkitd` in a module that requires it.
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { busyboxImage, canonical, command, eventually, readImage, succeed } from "../../support/index.ts";
import { buildAll, fileServer } from "./build-all.ts";
import { type Builder, doneByVertex } from "./builders.ts";
import { cases as all } from "./cases.ts";
import { makeContexts } from "./context.ts";
import { writeRecord } from "./record.ts";

const [buildkitd = "buildkitd", buildctl = "buildctl", ...only] = process.argv.slice(2);
const cases = only.length > 0 ? all.filter(({ name }) => only.includes(name)) : all;
const folder = await mkdtemp("/var/tmp/ramekin-buildkit-");
const address = `unix://${join(folder, "sock")}`;
const own = ["--root", join(folder, "root"), "--addr", address, "--oci-worker-snapshotter", "overlayfs", "--containerd-worker=false"];
const daemon = spawn("unshare", ["--mount", "--propagation", "private", buildkitd, ...own], { stdio: ["ignore", "ignore", "ignore"] });
const ended = new Promise((resolve) => daemon.once("exit", resolve));
const { folder: layout } = await busyboxImage();
const { descriptor } = await readImage(layout, canonical("busybox"));
const base = ["busybox", "busybox:latest"].flatMap((name) => ["--opt", `context:${name}=oci-layout://base@${descriptor.digest}`]);

const builder: Builder = {
  name: "buildkit",
  build(image, context, flags) {
    const locals = ["--local", `context=${context}`, "--local", `dockerfile=${context}`, "--oci-layout", `base=${layout}`, ...base];
    const output = ["--output", `type=oci,tar=false,dest=${join(folder, image)},name=docker.io/library/${image}:latest`];
    const build = [buildctl, "--addr", address, "build", "--progress", "plain", "--frontend", "dockerfile.v0"];
    return command([...build, ...locals, ...asked(flags), "--opt", "force-network-mode=none", ...output], { timeout: 60_000 });
  },
  done: doneByVertex,
  save: async (images) => images.map((image) => join(folder, image)),
};

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

try {
  await eventually(() => succeed([buildctl, "--addr", address, "debug", "workers"]), 30);
  const contexts = join(folder, "contexts");
  await makeContexts(contexts, cases);
  await using server = await fileServer(join(contexts, ".shared"));
  const views = await buildAll(builder, cases, contexts, server.port);
  await writeRecord(join(import.meta.dirname, "buildkit.json"), views);
} finally {
  daemon.kill("SIGTERM");
  await ended;
  await rm(folder, { recursive: true, force: true });
}
