import { join } from "node:path";

/** Where everything is: ARCHITECTURE.md, "On disk". Locks are files of their own, never renamed or unlinked while anything may need them. */
export interface Paths {
  readonly root: string;
  readonly runRoot: string;
  readonly version: string;
  /** The store's lock: shared by whoever publishes something that refers to blobs or snapshots, exclusive for garbage collection. */
  readonly lock: string;
  readonly images: string;
  readonly index: string;
  readonly indexLock: string;
  readonly leases: string;
  readonly used: string;
  readonly events: string;
  readonly buildCache: string;
  /** Files of running builds that may be large, a folder for each lease. */
  readonly buildWork: string;
  /** Below runRoot: secrets of running builds, a folder for each lease. */
  readonly builds: string;
  readonly containers: string;
  readonly volumes: string;
  readonly secrets: string;
  readonly names: string;
  readonly namesLock: string;
  container(id: string): ContainerPaths;
}

export interface ContainerPaths {
  readonly directory: string;
  readonly lock: string;
  readonly config: string;
  readonly state: string;
  readonly bundle: string;
  readonly spec: string;
  /** There while a removal is under way, and after one that failed. */
  readonly removing: string;
  readonly hosts: string;
  readonly hostname: string;
  readonly resolvConf: string;
}

export function pathsOf(root: string, runRoot: string): Paths {
  const at = (...parts: string[]) => join(root, ...parts);
  const containers = at("containers");
  return {
    root,
    runRoot,
    version: at("version"),
    lock: at(".lock"),
    images: at("images"),
    index: at("images", "index.json"),
    indexLock: at("images", ".lock"),
    leases: at("leases"),
    used: at("used"),
    events: at("events"),
    buildCache: at("build-cache"),
    buildWork: at("build-cache", "work"),
    builds: join(runRoot, "builds"),
    containers: at("containers"),
    volumes: at("volumes"),
    secrets: at("secrets"),
    names: at("containers", "names"),
    namesLock: at("containers", "names", ".lock"),
    container: (id) => {
      // Not `join`, which takes these apart again: `ps` of 1,000 containers spent a third of its time there.
      const directory = `${containers}/${id}`;
      return {
        directory,
        lock: `${directory}/.lock`,
        config: `${directory}/config.json`,
        state: `${directory}/state.json`,
        bundle: `${directory}/bundle`,
        spec: `${directory}/bundle/config.json`,
        removing: `${directory}/.removing`,
        hosts: `${directory}/hosts`,
        hostname: `${directory}/hostname`,
        resolvConf: `${directory}/resolv.conf`,
      };
    },
  };
}
