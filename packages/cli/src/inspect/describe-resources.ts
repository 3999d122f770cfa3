import type { ContainerOptions, DeviceOption, DeviceRate } from "@ramekin/engine";

/** The resources of Docker's HostConfig, in its names; 0 and null where nothing was asked for. */
export function describeResources(options: Omit<ContainerOptions, "signal" | "onProgress">): object {
  const { memory = {}, cpu = {}, pids } = options.resources ?? {};
  const { weight = 0, weights, readBps, writeBps, readIops, writeIops } = options.blockIO ?? {};
  const rates = (devices: readonly DeviceRate[] | undefined) => devices?.map(({ path, rate }) => ({ Path: path, Rate: rate })) ?? null;
  return {
    OomScoreAdj: options.oomScoreAdj ?? 0,
    ShmSize: options.shmSize ?? 64 << 20,
    ...(options.sysctls && { Sysctls: options.sysctls }),
    CpuShares: cpu.shares ?? 0,
    Memory: memory.limit ?? 0,
    NanoCpus: Math.round((options.cpus ?? 0) * 1e9),
    CgroupParent: options.cgroupParent ?? "",
    BlkioWeight: weight,
    BlkioWeightDevice: weights?.map(({ path, weight: own }) => ({ Path: path, Weight: own })) ?? [],
    BlkioDeviceReadBps: rates(readBps),
    BlkioDeviceWriteBps: rates(writeBps),
    BlkioDeviceReadIOps: rates(readIops),
    BlkioDeviceWriteIOps: rates(writeIops),
    CpuPeriod: cpu.period ?? 0,
    CpuQuota: cpu.quota ?? 0,
    CpuRealtimePeriod: cpu.realtimePeriod ?? 0,
    CpuRealtimeRuntime: cpu.realtimeRuntime ?? 0,
    CpusetCpus: cpu.cpus ?? "",
    CpusetMems: cpu.mems ?? "",
    DeviceRequests: deviceRequests(options),
    Devices:
      options.devices?.filter(isNode).map(({ source, target = source, access = "rwm" }) => ({
        PathOnHost: source,
        PathInContainer: target,
        CgroupPermissions: access,
      })) ?? [],
    DeviceCgroupRules: options.deviceRules ?? null,
    MemoryReservation: memory.reservation ?? 0,
    MemorySwap: memory.swap ?? 0,
    MemorySwappiness: memory.swappiness ?? null,
    OomKillDisable: memory.disableOOMKiller ?? null,
    PidsLimit: pids?.limit ?? null,
    Ulimits: Object.entries(options.ulimits ?? {}).map(([Name, { soft, hard }]) => ({ Name, Soft: soft, Hard: hard })),
  };
}

const isNode = ({ source }: DeviceOption) => source.startsWith("/");

/** What vendors' files answer: names of the Container Device Interface, and graphics processors. */
function deviceRequests({ devices = [], gpus }: Pick<ContainerOptions, "devices" | "gpus">): readonly object[] | null {
  const names = devices.filter((device) => !isNode(device)).map(({ source }) => source);
  const requests = [
    ...(names.length > 0 ? [{ Driver: "cdi", Count: 0, DeviceIDs: names, Capabilities: null, Options: {} }] : []),
    ...(gpus
      ? [
          {
            Driver: "",
            Count: gpus.devices ? 0 : typeof gpus.count === "number" ? gpus.count : -1,
            DeviceIDs: gpus.devices ?? null,
            Capabilities: [["gpu"]],
            Options: {},
          },
        ]
      : []),
  ];
  return requests.length > 0 ? requests : null;
}
