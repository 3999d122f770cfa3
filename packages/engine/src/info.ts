import { availableParallelism, release, totalmem } from "node:os";
import { isRamekinError, type Kind } from "@ramekin/core";
import { layoutEntries } from "@ramekin/oci";
import type { EngineInfo } from "./api.ts";
import { cgroupMode } from "./cgroup.ts";
import { listContainers } from "./list.ts";
import type { Scope } from "./scope.ts";
import { readImages } from "./store/images.ts";

/** See `Engine.info`. */
export async function info(scope: Scope): Promise<EngineInfo> {
  await scope.opened();
  const containers = await listContainers(scope, { all: true });
  const count = (...statuses: string[]) => containers.filter(({ status }) => statuses.includes(status)).length;
  return {
    root: scope.paths.root,
    runRoot: scope.paths.runRoot,
    rootless: process.geteuid?.() !== 0,
    containers: { running: count("running"), paused: count("paused"), stopped: containers.length - count("running", "paused") },
    images: new Set(layoutEntries(await readImages(scope.paths)).map(({ digest }) => digest)).size,
    drivers: Object.fromEntries(
      (await Promise.all((["storage", "isolation", "content", "log", "network"] as const).map((kind) => chosen(scope, kind)))).flat(),
    ),
    cgroup: await cgroupMode(),
    kernel: release(),
    cpus: availableParallelism(),
    memory: totalmem(),
  };
}

async function chosen(scope: Scope, kind: Kind): Promise<readonly (readonly [string, string])[]> {
  try {
    return [[kind, (await scope.kernel.choose(kind, await defaultOf(scope, kind))).name]];
  } catch (error) {
    if (!isRamekinError(error)) throw error;
    return []; // `doctor` says why
  }
}

/** Kinds where the default is a name and not the best rank. */
async function defaultOf(scope: Scope, kind: Kind): Promise<{ readonly name?: string }> {
  const fallback = kind === "network" ? "none" : kind === "log" ? "json-file" : undefined;
  if (fallback === undefined) return {};
  return { name: (await scope.kernel.preference(kind))?.names[0] ?? fallback };
}
