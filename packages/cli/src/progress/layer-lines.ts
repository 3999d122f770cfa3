import type { PullProgress } from "@ramekin/engine";
import { humanSize } from "../format/units.ts";

/** A line is this much longer than its bar: id, words, sizes, rate. */
const beside = 57;

/** `Downloading [====>      ]  12.3MB/50MB  4.5MB/s`, in a terminal of so many columns */
export function layerState(progress: PullProgress, columns = 80, rate?: number): string {
  switch (progress.status) {
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
      return `Downloading ${bar(progress, columns, rate)}`;
  }
}

/** Both sizes stand behind it, and bytes per second where they are known. */
export function bar({ current, total }: Pick<PullProgress, "current" | "total">, columns: number, rate?: number): string {
  const width = Math.min(Math.max(columns - beside, 10), 50);
  const fraction = total > 0 ? current / total : 0;
  const done = Math.min(Math.floor(fraction * width), width);
  const arrow = done < width ? ">" : "=";
  const filled = `${"=".repeat(Math.max(done - 1, 0))}${done > 0 || fraction > 0 ? arrow : ""}`.padEnd(width);
  const speed = rate === undefined ? "" : `  ${humanSize(rate)}/s`;
  return `[${filled}] ${humanSize(current).padStart(8)}/${humanSize(total)}${speed}`;
}
