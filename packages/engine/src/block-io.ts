import { stat } from "node:fs/promises";
import { type BlockIO, type BlockIORate, RamekinError } from "@ramekin/core";
import type { BlockIOLimits, DeviceRate } from "./resource-options.ts";
import type { ResourceJudge } from "./resources.ts";
import { isGone } from "./store/files.ts";

const rates = [
  ["readBps", "throttleReadBpsDevice", "blkio.throttle.read_bps_device"],
  ["writeBps", "throttleWriteBpsDevice", "blkio.throttle.write_bps_device"],
  ["readIops", "throttleReadIOPSDevice", "blkio.throttle.read_iops_device"],
  ["writeIops", "throttleWriteIOPSDevice", "blkio.throttle.write_iops_device"],
] as const;

/** Objects to what is no weight; whether there is anything at all. */
export function checkBlockIO({ weight = 0, weights = [], ...rest }: BlockIOLimits, { objections }: ResourceJudge): boolean {
  for (const each of [weight, ...weights.map((device) => device.weight)]) {
    if (each !== 0 && (each < 10 || each > 1000))
      objections.add("INVALID_ARGUMENT", `a block IO weight of ${each} is not between 10 and 1000`);
  }
  return weight !== 0 || weights.length > 0 || rates.some(([name]) => (rest[name]?.length ?? 0) > 0);
}

/** With devices by number instead of path. */
export async function blockIO(limits: BlockIOLimits, judge: ResourceJudge): Promise<BlockIO> {
  const { weight = 0, weights = [] } = limits;
  const { controllers, warn, objections } = judge;
  if (!controllers.has("blkio")) {
    warn("this machine has no blkio controller: limits of block IO discarded");
    return {};
  }
  // The root group of v1 has no weight: whether groups below it have one shows in bfq's other files.
  const weighs =
    controllers.version === 2 ||
    controllers.has("blkio", { v1: "blkio.weight" }) ||
    controllers.has("blkio", { v1: "blkio.bfq.io_serviced" });
  if (!weighs && (weight !== 0 || weights.length > 0)) warn("this kernel has no block IO weight: weight discarded");
  const numbered = async <T extends { readonly path: string }>(devices: readonly T[] = []) =>
    (await Promise.all(devices.map((device) => objections.await(number(device))))).filter((device) => device !== undefined);
  const result: Record<string, unknown> = {};
  if (weighs && weight !== 0) result["weight"] = weight;
  const weighed = weighs ? await numbered(weights) : [];
  if (weighed.length > 0) result["weightDevice"] = weighed;
  for (const [name, field, file] of rates) {
    const devices = await numbered<DeviceRate>(limits[name]);
    if (devices.length === 0) continue;
    if (controllers.has("blkio", { v1: file })) result[field] = devices satisfies BlockIORate[];
    else warn(`this kernel cannot throttle block IO by ${file}: limit discarded`);
  }
  return result as BlockIO;
}

async function number<T extends { readonly path: string }>({
  path,
  ...rest
}: T): Promise<Omit<T, "path"> & { major: number; minor: number }> {
  try {
    const node = await stat(path);
    if (!node.isBlockDevice()) throw new RamekinError("INVALID_ARGUMENT", `${path} is not a block device`);
    return { ...rest, ...deviceNumber(node.rdev) };
  } catch (error) {
    if (isGone(error)) throw new RamekinError("NOT_FOUND", `no block device ${path}`, { cause: error });
    throw error;
  }
}

/** The C library's `gnu_dev_major` and `gnu_dev_minor`; numbers beyond 32 bits are exact as long as they are safe integers. */
export function deviceNumber(device: number): { readonly major: number; readonly minor: number } {
  const low = device % 2 ** 32;
  const high = Math.floor(device / 2 ** 32);
  return { major: ((low >>> 8) & 0xfff) + (high & ~0xfff), minor: (low & 0xff) + ((low >>> 12) & ~0xff) };
}
