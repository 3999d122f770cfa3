import { join } from "node:path";
import type { Objections } from "@ramekin/core";
import type { DeviceRule, SpecDevice } from "@ramekin/oci";
import type { CdiEdits } from "./cdi.ts";
import { checkLimits } from "./cgroup.ts";
import type { ContainerOptions } from "./container-options.ts";
import { findControllers } from "./controllers.ts";
import { parseDeviceRule, planDevice } from "./devices.ts";
import { planLimits } from "./resources.ts";
import type { SandboxSpec } from "./sandbox.ts";
import { checkSysctl } from "./sysctls.ts";
import { checkOomScore, planUlimits } from "./ulimits.ts";

interface Judge {
  readonly rootless: boolean;
  readonly objections: Objections;
  warn(message: string): void;
}

/** Everything of `ResourceOptions`, checked and in the words of the runtime spec. */
export async function planResources(options: ContainerOptions, judge: Judge): Promise<SandboxSpec> {
  const { objections } = judge;
  const { sysctls = {}, shmSize, oomScoreAdj, cgroupParent } = options;
  const [limits, nodes, rules, vendor] = await Promise.all([
    planGroup(options, judge),
    planDevices(options, judge),
    planRules(options, judge),
    planVendors(options, judge),
  ]);
  const devices = [...(vendor?.devices ?? []), ...nodes];
  checkOomScore(oomScoreAdj, judge);
  const rlimits = planUlimits(options.ulimits, judge);
  if (shmSize !== undefined && !(Number.isSafeInteger(shmSize) && shmSize >= 0))
    objections.add("INVALID_ARGUMENT", `/dev/shm cannot have ${shmSize} bytes`);
  if (cgroupParent?.split("/").includes("..")) objections.add("INVALID_ARGUMENT", `the control group ${cgroupParent} leads upwards`);
  for (const name of Object.keys(sysctls)) objections.hear(() => checkSysctl(name, ownNamespaces(options)));
  return {
    ...((limits || rules.length > 0) && { resources: { ...limits, ...(rules.length > 0 && { devices: rules }) } }),
    ...(oomScoreAdj !== undefined && { oomScoreAdj }),
    ...(rlimits.length > 0 && { rlimits }),
    ...(shmSize && { shmSize }), // 0: the default, as in Docker
    ...(Object.keys(sysctls).length > 0 && { sysctl: sysctls }),
    ...(devices.length > 0 && { devices }),
    ...(vendor && { vendor, extraMounts: vendor.mounts }),
  };
}

async function planGroup(options: ContainerOptions, judge: Judge) {
  const { resources, cpus, blockIO, cgroupParent = "ramekin" } = options;
  if (resources === undefined && cpus === undefined && blockIO === undefined) return undefined;
  const parent = join("/", cgroupParent);
  const limits = await planLimits(options, { controllers: await findControllers(), parent, ...judge });
  await judge.objections.await(checkLimits(limits, judge.rootless));
  return limits;
}

async function planDevices({ devices = [] }: ContainerOptions, { objections }: Judge): Promise<SpecDevice[]> {
  const nodes = devices.filter(({ source }) => source.startsWith("/"));
  return (await Promise.all(nodes.map((device) => objections.await(planDevice(device))))).flatMap((found) => found ?? []);
}

/** Devices that have a name instead of a path. */
async function planVendors({ devices = [], gpus }: ContainerOptions, { objections }: Judge): Promise<CdiEdits | undefined> {
  const names = devices.map(({ source }) => source).filter((source) => !source.startsWith("/"));
  if (names.length === 0 && !gpus) return undefined;
  const { cdiKinds, isCdiName, planCdi } = await import("./cdi.ts");
  for (const name of names.filter((each) => !isCdiName(each)))
    objections.add("INVALID_ARGUMENT", `no device: ${name}`, "a path, or a name such as vendor.com/class=device");
  const [kind] = gpus ? await cdiKinds("gpu") : [];
  if (gpus && kind === undefined) {
    objections.add(
      "UNSUPPORTED",
      "no graphics processors can be given: no file of a vendor's tells of any",
      "nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml",
    );
    return undefined;
  }
  const {
    count,
    devices: chosen = count === "all" || count === undefined ? ["all"] : Array.from({ length: count }, (_, index) => String(index)),
  } = gpus ?? { devices: [] };
  return objections.await(planCdi([...names.filter(isCdiName), ...chosen.map((name) => `${kind}=${name}`)]));
}

async function planRules({ deviceRules = [] }: ContainerOptions, { objections, rootless }: Judge): Promise<DeviceRule[]> {
  if (deviceRules.length > 0 && rootless)
    objections.add("UNSUPPORTED", "device rules are root's to set: without root no device node can be opened that could not before");
  return objections.each(deviceRules, parseDeviceRule);
}

function ownNamespaces({ network }: ContainerOptions) {
  return {
    network: network === "host" || network?.startsWith("container:") ? "other" : "private",
    ipc: "private",
  } as const;
}
