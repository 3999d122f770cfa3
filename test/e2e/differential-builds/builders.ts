import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { busyboxImage, canonical, command, type Kitchen, missing, type Result, succeed } from "../../support/index.ts";

/** Something that builds images of Dockerfiles, with a store of its own. */
export interface Builder {
  readonly name: string;
  /** As `image`, which is `<name>-<case>`. */
  build(image: string, context: string, flags: readonly string[]): Promise<Result>;
  /** The steps which `output` says were done, not found in the cache. */
  done(output: string): readonly string[];
  /** OCI layouts and docker archives that hold all of these images. */
  save(images: readonly string[]): Promise<readonly string[]>;
}

/** Steps that make files: the others are nothing to find in a cache. */
const makes = (step: string) => /^(?:RUN|COPY|ADD|WORKDIR) /i.test(step);

/** BuildKit's plain progress, which is ours, too: `#4 [b 2/3] RUN x`, later `#4 CACHED` or `#4 DONE 0.1s`. */
export function doneByVertex(output: string): readonly string[] {
  const names = new Map<string, string>();
  const done: string[] = [];
  for (const line of output.split("\n")) {
    const [, number = "", rest = ""] = /^(#\d+) (.*)$/.exec(line) ?? [];
    const step = /^\[[^\]]*\d+\/\d+\] (.*)$/.exec(rest)?.[1];
    if (step !== undefined) names.set(number, step);
    const name = names.get(number);
    if (name !== undefined && /^DONE /.test(rest) && makes(name)) done.push(name);
  }
  return done.sort();
}

/** Of docker's classic builder and of buildah: `STEP 2/3: RUN x`, and then a line that says that the cache is used, or none. */
export function doneByLine(output: string): readonly string[] {
  const parts = output.split(/^step \d+\/\d+ ?: /im).slice(1);
  const done = parts.filter((part) => !/using cache/i.test(part)).map((part) => part.split("\n", 1)[0] as string);
  return done.filter(makes).sort();
}

export function ramekin(here: Kitchen): Builder {
  return {
    name: "ramekin",
    build: (image, context, flags) => here.ramekin(["build", "--progress", "plain", "--network", "none", "-t", image, ...flags, context]),
    done: doneByVertex,
    async save(images) {
      const path = join(here.folder, "by-ramekin");
      await here.output(["save", "--format", "oci-dir", "-o", path, ...images], { timeout: 120_000 });
      return [path];
    },
  };
}

export const noBuildah = missing("buildah", "podman", "skopeo", "python3");

/** With layers, so that its cache and history are those of steps; podman saves, which it can for several images at once. */
export async function buildah(folder: string): Promise<Builder & AsyncDisposable> {
  const alone = ["unshare", "--mount", "--propagation", "private"];
  const store = ["--root", join(folder, "root"), "--runroot", join(folder, "run"), "--storage-driver", "overlay"];
  await mkdir(folder);
  const base = `oci:${(await busyboxImage()).folder}:${canonical("busybox")}`;
  const place = `[overlay@${join(folder, "root")}+${join(folder, "run")}]`;
  await succeed([...alone, "skopeo", "copy", "--quiet", base, `containers-storage:${place}${canonical("busybox")}`]);
  const own = ["--isolation", "chroot", "--layers", "--format", "docker", "--identity-label=false", "--pull=never"];
  return {
    name: "buildah",
    build: (image, context, flags) => command([...alone, "buildah", ...store, "bud", ...own, "-t", image, ...flags, context]),
    done: doneByLine,
    async save(images) {
      const path = join(folder, "by-buildah.tar");
      const names = images.map((image) => `localhost/${image}`);
      await succeed([...alone, "podman", ...store, "save", "--quiet", "-m", "-o", path, ...names], { timeout: 120_000 });
      return [path];
    },
    async [Symbol.asyncDispose]() {
      await command([...alone, "rm", "-rf", folder]);
    },
  };
}

/** The two builders of a dockerd. */
export function docker(client: readonly string[], folder: string): { readonly classic: Builder; readonly buildkit: Builder } {
  const builder = (name: string, env: Record<string, string>, done: Builder["done"]): Builder => ({
    name,
    build: (image, context, flags) => command([...client, "build", "--network", "none", "-t", image, ...flags, context], { env }),
    done,
    async save(images) {
      const path = join(folder, `by-${name}.tar`);
      await succeed([...client, "save", "-o", path, ...images], { timeout: 120_000 });
      return [path];
    },
  });
  return {
    classic: builder("classic", { DOCKER_BUILDKIT: "0" }, doneByLine),
    buildkit: builder("dockerd", { DOCKER_BUILDKIT: "1", BUILDKIT_PROGRESS: "plain" }, doneByVertex),
  };
}
