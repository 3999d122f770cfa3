import { setFlagsFromString } from "node:v8";

let done = false;

/**
 * Before gigabytes stream through: V8 keeps its nursery at one megabyte, and so meets dead chunks early. It counts the objects, not
 * the 64 kilobytes that each of them holds: pulling a layer of 2 GB took 155–164 MB of memory without this, 98–113 MB with it, in the
 * same time. Only what lives long is slower by it; a transfer has little of that.
 */
export function smallNursery(): void {
  if (done) return;
  done = true;
  setFlagsFromString("--semi-space-growth-factor=1");
}
