import type { PushProgress } from "@ramekin/engine";
import type { OutputStream } from "../context.ts";
import { bar } from "./layer-lines.ts";
import { type Watch, type WatchOptions, type Wording, watchBlobs } from "./watch-blobs.ts";

function state(progress: PushProgress, columns: number, rate?: number): string {
  switch (progress.status) {
    case "preparing":
      return "Preparing";
    case "exists":
      return "Layer already exists";
    case "mounted":
      return `Mounted from ${progress.from}`;
    case "pushed":
      return "Pushed";
    case "pushing":
      return `Pushing ${bar(progress, columns, rate)}`;
  }
}

const wording: Wording<PushProgress> = {
  state,
  plain: (progress) => (progress.status === "pushing" ? "Preparing" : state(progress, 80)),
  moving: "pushing",
  summary: "are there",
  finished: ["pushed", "exists", "mounted"],
};

/** As `watchPull`, the other way. */
export function watchPush(stream: OutputStream, options: WatchOptions = {}): Watch<PushProgress> {
  return watchBlobs(stream, wording, options);
}
