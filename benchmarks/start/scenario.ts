import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Contender } from "../contender.ts";
import { docker } from "./docker.ts";
import { benchImage } from "./image.ts";
import { podman } from "./podman.ts";
import { command, inProcess } from "./ramekin.ts";
import { floor, runtime } from "./runtimes.ts";

/** Create → exit of `true`, network none, removed afterwards. */
export async function scenario() {
  const directory = mkdtempSync(join(tmpdir(), "ramekin-bench-"));
  process.on("exit", () => rmSync(directory, { recursive: true, force: true }));
  const { rootfs, layout, tar } = benchImage(directory);
  const contenders: Contender[] = [
    ...floor(directory, rootfs),
    runtime("crun", directory, rootfs),
    runtime("runc", directory, rootfs),
    inProcess(directory, layout, "linux", "ramekin in process"),
    inProcess(directory, layout, "oci", "ramekin in process, runc"),
    command(directory, layout),
    podman("crun", directory, tar),
    podman("runc", directory, tar),
    docker(directory, tar),
  ];
  return { title: "start: create → exit of true → gone, network none", contenders, against: ["floor+cgroup", "crun", "podman+crun"] };
}
