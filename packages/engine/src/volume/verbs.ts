import type { Volumes } from "../api.ts";
import { obeying } from "../obey.ts";
import type { Scope } from "../scope.ts";

/** See `Volumes`: each verb is loaded when it is used. */
export function volumeVerbs(scope: Scope): Volumes {
  const verbs: Volumes = {
    create: async (options) => (await import("./create.ts")).createVolume(scope, options),
    list: async () => (await import("./list.ts")).listVolumes(scope),
    inspect: async (name) => (await import("./list.ts")).inspectVolume(scope, name),
    remove: async (name, options) => (await import("./remove.ts")).removeVolume(scope, name, options),
    prune: async (options) => (await import("./prune.ts")).pruneVolumes(scope, options),
    export: async function* (name, options) {
      yield* (await import("./transfer.ts")).exportVolume(scope, name, options);
    },
    import: async (name, tar, options) => (await import("./transfer.ts")).importVolume(scope, name, tar, options),
  };
  return obeying(verbs, ["list", "inspect"]);
}
