import { readFile } from "node:fs/promises";
import { hostname, machine } from "node:os";
import type { EngineInfo } from "@ramekin/engine";
import type { Context } from "../context.ts";
import { humanMemory } from "../format/units.ts";
import { json } from "../template/functions.ts";
import { compileTemplate } from "../template/render.ts";
import { version } from "../version.ts";

/** `ramekin info`. */
export async function showInfo(format: string | undefined, context: Context): Promise<number> {
  const info = await (await context.engine()).info();
  const data = {
    ...describe(info),
    OperatingSystem: await operatingSystem(),
    Name: hostname(),
    Architecture: machine(),
    ServerVersion: version(),
  };
  if (format === "json") context.print(json(data));
  else if (format !== undefined) context.print(compileTemplate(format)(data));
  else context.print(lines(info, data.OperatingSystem).join("\n"));
  return 0;
}

/** By Docker's names where it has one. */
function describe({ containers, images, drivers, cgroup, kernel, cpus, memory, root, runRoot, rootless }: EngineInfo) {
  return {
    Containers: containers.running + containers.paused + containers.stopped,
    ContainersRunning: containers.running,
    ContainersPaused: containers.paused,
    ContainersStopped: containers.stopped,
    Images: images,
    Driver: drivers["storage"] ?? "",
    Isolation: drivers["isolation"] ?? "",
    Drivers: drivers,
    LoggingDriver: drivers["log"] ?? "",
    CgroupVersion: cgroup,
    CgroupDriver: cgroup === "none" ? "none" : "cgroupfs",
    DefaultRuntime: drivers["isolation"] ?? "",
    SecurityOptions: ["name=seccomp,profile=builtin", ...(rootless ? ["name=rootless"] : [])],
    SystemTime: new Date().toISOString(),
    KernelVersion: kernel,
    OSType: "linux",
    NCPU: cpus,
    MemTotal: memory,
    DockerRootDir: root,
    RunRoot: runRoot,
    Rootless: rootless,
  };
}

function lines(info: EngineInfo, system: string): string[] {
  const { containers, drivers } = info;
  return [
    `Containers: ${containers.running + containers.paused + containers.stopped}`,
    ` Running: ${containers.running}`,
    ` Paused: ${containers.paused}`,
    ` Stopped: ${containers.stopped}`,
    `Images: ${info.images}`,
    `Version: ${version()}`,
    "Drivers:",
    ...Object.entries(drivers).map(([kind, name]) => ` ${kind}: ${name}`),
    `Cgroup Version: ${info.cgroup}`,
    `Kernel Version: ${info.kernel}`,
    `Operating System: ${system}`,
    "OSType: linux",
    `Architecture: ${machine()}`,
    `CPUs: ${info.cpus}`,
    `Total Memory: ${humanMemory(info.memory)}`,
    `Name: ${hostname()}`,
    `Root Dir: ${info.root}`,
    `Run Root Dir: ${info.runRoot}`,
    `Rootless: ${info.rootless}`,
  ];
}

/** os-release(5); a machine without one is just a Linux. */
async function operatingSystem(): Promise<string> {
  const text = await readFile("/etc/os-release", "utf8").catch(() => "");
  return /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(text)?.[1] ?? "Linux";
}
