import type { Contender } from "../contender.ts";
import { installed, measured } from "../start/program.ts";
import { images, layoutOf } from "./corpus.ts";
import { type Client, docker, podman, ramekin } from "./engines.ts";
import { chosen, contender, type Group, openRegistry, readable, scratch } from "./place.ts";

/** From a full store into a repository that has nothing of it. */
export async function scenario(only: string | undefined): Promise<readonly Group[]> {
  const registry = await openRegistry();
  const groups: Group[] = [];
  let count = 0;
  for (const name of chosen(only)) {
    const directory = scratch();
    const reference = await registry.publish(name);
    /** Pulled once; then each run pushes under a new name. */
    const pushing = (client: Client, flags: readonly string[] = []): Contender => {
      let target = "";
      return contender(client, () => client.run("push", "--quiet", ...flags, target), {
        async prepare() {
          await client.open?.();
          await client.run("pull", "--quiet", ...flags, reference);
        },
        async reset() {
          count += 1;
          target = `${registry.host}/push-${count}:bench`;
          await client.run("tag", reference, target);
        },
      });
    };
    groups.push({
      title: `push: ${images[name]}`,
      contenders: [
        pushing(ramekin(directory)),
        pushing(podman(directory), ["--tls-verify=false"]),
        pushing(readable(docker(directory), name)),
        {
          name: "skopeo",
          ...(!installed("skopeo") && { absent: "skopeo is not installed" }),
          run() {
            count += 1;
            const to = `docker://${registry.host}/push-${count}:bench`;
            return measured("skopeo", ["copy", "--quiet", "--dest-tls-verify=false", `oci:${layoutOf(name)}:bench`, to]);
          },
        },
      ],
      against: ["podman", "docker", "skopeo"],
    });
  }
  const last = groups.at(-1)?.contenders.at(-1);
  if (last) (last as { dispose?: Contender["dispose"] }).dispose = async () => registry[Symbol.asyncDispose]();
  return groups;
}
