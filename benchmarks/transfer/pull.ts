import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Contender } from "../contender.ts";
import { installed, measured, program } from "../start/program.ts";
import { type ImageName, images, layoutOf } from "./corpus.ts";
import { docker, podman, ramekin } from "./engines.ts";
import { chosen, contender, type Group, openRegistry, readable, scratch } from "./place.ts";

/** From a registry on loopback into an empty store, unpacked: what a first `run` waits for. */
export async function scenario(only: string | undefined): Promise<readonly Group[]> {
  const registry = await openRegistry();
  const groups: Group[] = [];
  for (const name of chosen(only)) {
    const directory = scratch();
    const reference = await registry.publish(name);
    const [ours, pod, dock] = [ramekin(directory), podman(directory), readable(docker(directory), name)];
    groups.push({
      title: `pull and unpack: ${images[name]}`,
      contenders: [
        contender(ours, () => ours.run("pull", "--quiet", reference)),
        contender(pod, () => pod.run("pull", "--quiet", "--tls-verify=false", reference)),
        contender(dock, () => dock.run("pull", "--quiet", reference)),
        ...containerd(docker(`${directory}/ctr`), reference, name),
        skopeo(directory, reference),
        pipeline(directory, registry.host, name),
      ],
      against: ["podman", "docker", "curl | tar"],
    });
  }
  // Closed with the last contender of the last table.
  const last = groups.at(-1)?.contenders.at(-1);
  if (last) (last as { dispose?: Contender["dispose"] }).dispose = async () => registry[Symbol.asyncDispose]();
  return groups;
}

/** containerd through its own client, in a daemon of its own. */
function containerd(daemon: ReturnType<typeof docker>, reference: string, image: ImageName): Contender[] {
  if (!installed("ctr")) return [{ name: "ctr", absent: "ctr is not installed" }];
  const ctr = (...args: string[]) => program("ctr", ["--address", daemon.containerd, "--namespace", "bench", ...args]);
  const { absent } = readable({ ...daemon, name: "ctr" }, image);
  return [
    {
      name: "ctr",
      ...(absent !== undefined && { absent }),
      async prepare() {
        mkdirSync(join(daemon.containerd, "../../../.."), { recursive: true });
        await daemon.open?.();
      },
      reset: () => ctr("images", "rm", "--sync", reference).catch(() => undefined),
      run: () => ctr("images", "pull", "--plain-http", reference),
      ...(daemon.close && { dispose: daemon.close }),
    },
  ];
}

/** Without unpacking: the transfer alone. */
function skopeo(directory: string, reference: string): Contender {
  const to = join(directory, "skopeo");
  return {
    name: "skopeo (no unpack)",
    ...(!installed("skopeo") && { absent: "skopeo is not installed" }),
    reset: async () => rmSync(to, { recursive: true, force: true }),
    run: () => measured("skopeo", ["copy", "--quiet", "--src-tls-verify=false", `docker://${reference}`, `oci:${to}:bench`]),
  };
}

/** The plainest thing that brings the files here: nothing is verified, nothing kept. */
function pipeline(directory: string, host: string, name: ImageName): Contender {
  const layout = layoutOf(name);
  const read = (path: string) => JSON.parse(readFileSync(join(layout, path), "utf8"));
  const manifest = read(`blobs/${read("index.json").manifests[0].digest.replace(":", "/")}`);
  const decode = name === "debian-zstd" ? "zstd -dc" : "gzip -dc";
  const to = join(directory, "pipeline");
  const layers: string[] = manifest.layers.map(({ digest }: { digest: string }) => `http://${host}/v2/${name}/blobs/${digest}`);
  const script = layers.map((url) => `curl -sf ${url} | ${decode} | tar -x -C ${to}`).join(" && ");
  return {
    name: "curl | tar",
    ...(!installed("curl") && { absent: "curl is not installed" }),
    async reset() {
      rmSync(to, { recursive: true, force: true });
      mkdirSync(to);
    },
    run: () => program("sh", ["-c", script]),
  };
}
