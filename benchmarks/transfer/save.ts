import { rmSync } from "node:fs";
import { join } from "node:path";
import type { Contender } from "../contender.ts";
import { installed, measured } from "../start/program.ts";
import { archiveOf } from "./archives.ts";
import { images, layoutOf } from "./corpus.ts";
import { type Client, docker, podman, ramekin } from "./engines.ts";
import { chosen, contender, type Group, scratch } from "./place.ts";

/** From a full store into a tar file. */
export async function scenario(only: string | undefined): Promise<readonly Group[]> {
  const groups: Group[] = [];
  for (const name of chosen(only)) {
    const directory = scratch();
    const archive = await archiveOf(name, directory);
    const saving = (client: Client, image: string): Contender => {
      const to = join(directory, `${client.name}.tar`);
      return contender(client, () => client.run("save", "-o", to, image), {
        async prepare() {
          await client.open?.();
          await client.run("load", "-i", archive);
        },
        reset: async () => rmSync(to, { force: true }),
      });
    };
    const to = join(directory, "skopeo.tar");
    groups.push({
      title: `save: ${images[name]}`,
      contenders: [
        saving(ramekin(directory), "bench"),
        saving(podman(directory), "docker.io/library/bench:latest"),
        saving(docker(directory), "bench"),
        {
          name: "skopeo",
          ...(!installed("skopeo") && { absent: "skopeo is not installed" }),
          reset: async () => rmSync(to, { force: true }),
          run: () => measured("skopeo", ["copy", "--quiet", `oci:${layoutOf(name)}:bench`, `oci-archive:${to}`]),
        },
      ],
      against: ["podman", "docker", "skopeo"],
    });
  }
  return groups;
}
