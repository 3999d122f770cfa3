import { mkdtemp, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type BuildEvent, type BuildOptions, createRamekin } from "ramekin";
import { busyboxImage, canonical, command, type Kitchen, missing, succeed } from "../../support/index.ts";
import { type Attempt, attemptOf, doneByLine, doneByVertex, stepOf } from "./attempt.ts";

/** Something that builds images of Dockerfiles, with a store of its own. */
export interface Builder {
  readonly name: string;
  /** As `image`, or without a name. */
  build(context: string, flags: readonly string[], image?: string): Promise<Attempt>;
  /** OCI layouts and docker archives that hold all of these images but those that it cannot save. */
  save(images: readonly string[]): Promise<readonly string[]>;
}

/** In this process: a start of the command for each of some 330 builds would take longer than the builds. */
export async function ramekin(here: Kitchen): Promise<Builder & AsyncDisposable> {
  const engine = await createRamekin({ root: here.root, runRoot: here.runRoot });
  return {
    name: "ramekin",
    async build(context, flags, image) {
      const names = new Map<number, string>();
      const done: string[] = [];
      const onEvent = (event: BuildEvent) => {
        if (event.type === "begin") names.set(event.step, event.name);
        const step = event.type === "end" && !event.cached ? stepOf(names.get(event.step) ?? "") : undefined;
        if (step !== undefined) done.push(step);
      };
      try {
        const options = { context, tags: image === undefined ? [] : [image], network: "none", ...(await optionsOf(flags)) } as const;
        await engine.build({ ...options, onEvent, signal: AbortSignal.timeout(120_000) });
        return { built: true, done: done.sort() };
      } catch (error) {
        return { built: false, said: String(error) };
      }
    },
    // The store is a layout.
    save: async () => [join(here.root, "images")],
    [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
  };
}

/** docker's flags as a program gives them. */
async function optionsOf(flags: readonly string[]): Promise<BuildOptions> {
  const given = { args: {} as Record<string, string>, labels: {} as Record<string, string>, secrets: {} as Record<string, Uint8Array> };
  let target: string | undefined;
  for (let at = 0; at < flags.length; at += 2) {
    const [flag = "", value = ""] = flags.slice(at, at + 2);
    const [, key = "", text = ""] = /^(.*?)=(.*)$/s.exec(value) ?? [];
    const secret = /^id=(.*),src=(.*)$/.exec(value);
    if (flag === "--build-arg") given.args[key] = text;
    else if (flag === "--label") given.labels[key] = text;
    else if (flag === "--target") target = value;
    else if (flag === "--secret" && secret?.[1] && secret[2]) given.secrets[secret[1]] = await readFile(secret[2]);
    else throw new Error(`${flag} ${value}: no case has had this flag yet`);
  }
  return { ...given, ...(target !== undefined && { target }) };
}

export const noBuildah = missing("buildah", "podman", "skopeo", "python3");

/** With layers, so that its cache and history are those of steps; podman saves, which it can for several images at once. */
export async function buildah(): Promise<Builder & AsyncDisposable> {
  // podman takes no run root of more than 50 characters: the kitchen's are longer.
  const folder = await mkdtemp("/var/tmp/ramekin-");
  const alone = ["unshare", "--mount", "--propagation", "private"];
  const store = ["--root", join(folder, "root"), "--runroot", join(folder, "run"), "--storage-driver", "overlay"];
  const base = `oci:${(await busyboxImage()).folder}:${canonical("busybox")}`;
  const place = `[overlay@${join(folder, "root")}+${join(folder, "run")}]`;
  await succeed([...alone, "skopeo", "copy", "--quiet", base, `containers-storage:${place}${canonical("busybox")}`]);
  const own = ["--isolation", "chroot", "--layers", "--format", "docker", "--identity-label=false", "--pull=never"];
  return {
    name: "buildah",
    async build(context, flags, image) {
      const named = image === undefined ? [] : ["-t", image];
      // Contents of cache mounts stay there.
      const env = { TMPDIR: folder };
      return attemptOf(await command([...alone, "buildah", ...store, "bud", ...own, ...named, ...flags, context], { env }), doneByLine);
    },
    async save(images) {
      const path = join(folder, "by-buildah.tar");
      const names = images.map((image) => `localhost/${image}`);
      await succeed([...alone, "podman", ...store, "save", "--quiet", "-m", "-o", path, ...names], { timeout: 240_000 });
      return [path];
    },
    async [Symbol.asyncDispose]() {
      await command([...alone, "rm", "-rf", folder]);
    },
  };
}

/** The two builders of a dockerd. */
export function docker(client: readonly string[], folder: string): { readonly classic: Builder; readonly buildkit: Builder } {
  const builder = (name: string, env: Record<string, string>, done: typeof doneByLine): Builder => ({
    name,
    async build(context, flags, image) {
      const named = image === undefined ? [] : ["-t", image];
      return attemptOf(await command([...client, "build", "--network", "none", ...named, ...flags, context], { env }), done);
    },
    async save(images) {
      const path = join(folder, `by-${name}.tar`);
      // One without layers is "empty export - not implemented".
      const counts = (await succeed([...client, "image", "inspect", "--format", "{{len .RootFS.Layers}}", ...images])).stdout.split("\n");
      const full = images.filter((_, index) => counts[index] !== "0");
      await succeed([...client, "save", "-o", path, ...full], { timeout: 240_000 });
      return [path];
    },
  });
  return {
    classic: builder("classic", { DOCKER_BUILDKIT: "0" }, doneByLine),
    buildkit: builder("dockerd", { DOCKER_BUILDKIT: "1", BUILDKIT_PROGRESS: "plain" }, doneByVertex),
  };
}
