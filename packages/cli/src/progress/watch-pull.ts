import type { PullProgress } from "@ramekin/engine";
import type { OutputStream } from "../context.ts";
import { layerState } from "./layer-lines.ts";
import { type Watch, type WatchOptions, type Wording, watchBlobs } from "./watch-blobs.ts";

export type PullWatch = Watch<PullProgress>;
export type PullWatchOptions = WatchOptions;

const wording: Wording<PullProgress> = {
  state: layerState,
  plain: (progress) => (progress.status === "downloading" || progress.status === "waiting" ? "Pulling fs layer" : layerState(progress)),
  moving: "downloading",
  summary: "are here",
  finished: ["done", "unpacking", "unpacked", "exists"],
};

/** Shows the layers of a pull as they come: a line for each that is painted over on a terminal, plain lines elsewhere. */
export function watchPull(stream: OutputStream, options: PullWatchOptions = {}): PullWatch {
  return watchBlobs(stream, wording, options);
}
