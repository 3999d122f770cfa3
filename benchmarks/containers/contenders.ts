import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Contender } from "../contender.ts";
import { benchImage } from "../start/image.ts";
import { docker, podman, ramekin } from "./commands.ts";
import type { ContainerEngine } from "./engine.ts";
import { inProcess } from "./in-process.ts";
import { runtime } from "./runtimes.ts";

/** All engines and bare runtimes, with places of their own that go with this process. */
export function engines(): readonly ContainerEngine[] {
  const directory = mkdtempSync(join(tmpdir(), "ramekin-bench-"));
  process.on("exit", () => clear(directory));
  const { rootfs, layout, tar } = benchImage(directory);
  return [
    runtime("crun", directory, rootfs),
    runtime("runc", directory, rootfs),
    inProcess(directory, layout),
    ramekin(directory, layout),
    podman("crun", directory, tar),
    podman("runc", directory, tar),
    docker(directory, tar),
  ];
}

/** podman keeps its store mounted on itself; we are in a mount namespace of our own. */
function clear(directory: string): void {
  const mounts = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  const below = mounts.map((line) => line.split(" ")[4] ?? "").filter((path) => path.startsWith(`${directory}/`));
  for (const path of below.reverse()) spawnSync("umount", ["--lazy", path]);
  rmSync(directory, { recursive: true, force: true });
}

/** `work` of each, after `before`. */
export function contending(
  taking: readonly ContainerEngine[],
  work: (engine: ContainerEngine) => Promise<unknown>,
  before: (engine: ContainerEngine) => Promise<unknown> = async () => {},
): Contender[] {
  return taking.map((engine) => ({
    name: engine.name,
    ...(engine.absent !== undefined && { absent: engine.absent }),
    async prepare() {
      await engine.open();
      await before(engine);
    },
    async run() {
      await work(engine);
      return undefined;
    },
    async dispose() {
      await engine.close();
    },
  }));
}

/** `limit` at once. */
export async function all<T>(items: readonly T[], limit: number, work: (item: T) => Promise<unknown>): Promise<void> {
  const rest = [...items];
  const next = async () => {
    for (let item = rest.shift(); item !== undefined; item = rest.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, next));
}
