import type { PullProgress } from "@ramekin/engine";
import { humanSize, shortId } from "../format/units.ts";

/** A line is this much longer than its bar: id, words, sizes. */
const beside = 46;

/** Layers are what people wait for; manifests and configurations are not worth a line. */
export function isLayer({ mediaType }: PullProgress): boolean {
  return /\.layer\.|\.rootfs\./.test(mediaType);
}

/** `bc9e0d3bb4f7: Downloading [====>      ]  12.3MB/50MB`, in a terminal of so many columns */
export function layerLine(progress: PullProgress, columns = 80): string {
  return `${shortId(progress.digest)}: ${layerState(progress, columns)}`;
}

export function layerState({ status, current, total }: PullProgress, columns = 80): string {
  switch (status) {
    case "exists":
      return "Already exists";
    case "waiting":
      return "Waiting";
    case "done":
      return "Download complete";
    case "unpacking":
      return "Extracting";
    case "unpacked":
      return "Pull complete";
    case "downloading":
      return `Downloading ${bar(total > 0 ? current / total : 0, Math.min(Math.max(columns - beside, 10), 50))} ${humanSize(current).padStart(8)}/${humanSize(total)}`;
  }
}

function bar(fraction: number, width: number): string {
  const done = Math.min(Math.floor(fraction * width), width);
  const arrow = done < width ? ">" : "=";
  return `[${`${"=".repeat(Math.max(done - 1, 0))}${done > 0 || fraction > 0 ? arrow : ""}`.padEnd(width)}]`;
}
