import type { PullProgress } from "@ramekin/engine";
import { humanSize, shortId } from "../format/units.ts";

const barWidth = 50;

/** Layers are what people wait for; manifests and configurations are not worth a line. */
export function isLayer({ mediaType }: PullProgress): boolean {
  return /\.layer\.|\.rootfs\./.test(mediaType);
}

/** `bc9e0d3bb4f7: Downloading [====>      ]  12.3MB/50MB` */
export function layerLine(progress: PullProgress): string {
  return `${shortId(progress.digest)}: ${layerState(progress)}`;
}

export function layerState({ status, current, total }: PullProgress): string {
  switch (status) {
    case "exists":
      return "Already exists";
    case "waiting":
      return "Waiting";
    case "done":
      return "Pull complete";
    case "downloading":
      return `Downloading ${bar(total > 0 ? current / total : 0)} ${humanSize(current).padStart(8)}/${humanSize(total)}`;
  }
}

function bar(fraction: number): string {
  const done = Math.min(Math.floor(fraction * barWidth), barWidth);
  const arrow = done < barWidth ? ">" : "=";
  return `[${`${"=".repeat(Math.max(done - 1, 0))}${done > 0 || fraction > 0 ? arrow : ""}`.padEnd(barWidth)}]`;
}
