import { archiveOf } from "./archives.ts";
import { images } from "./corpus.ts";
import { docker, podman, ramekin } from "./engines.ts";
import { chosen, contender, type Group, scratch } from "./place.ts";
import { inStore } from "./unpack.ts";

/** From a docker-archive into an empty store. podman and docker unpack while they load; ours is measured with and without. */
export async function scenario(only: string | undefined): Promise<readonly Group[]> {
  const groups: Group[] = [];
  for (const name of chosen(only)) {
    const directory = scratch();
    const archive = await archiveOf(name, directory);
    const [ours, pod, dock] = [ramekin(directory), podman(directory), docker(directory)];
    groups.push({
      title: `load: ${images[name]}`,
      contenders: [
        contender(ours, () => ours.run("load", "--quiet", "-i", archive)),
        inStore("ramekin, in process, and unpack", directory, async (engine) => {
          await engine.load(archive);
          await engine.unpack("bench");
        }),
        contender(pod, () => pod.run("load", "--quiet", "-i", archive)),
        contender(dock, () => dock.run("load", "--quiet", "-i", archive)),
      ],
      against: ["podman", "docker"],
    });
  }
  return groups;
}
