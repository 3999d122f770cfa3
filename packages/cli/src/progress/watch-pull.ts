import type { PullProgress } from "@ramekin/engine";
import type { OutputStream } from "../context.ts";
import { isLayer, layerLine, layerState } from "./layer-lines.ts";

export interface PullWatch extends Disposable {
  report(progress: PullProgress): void;
}

export interface PullWatchOptions {
  readonly quiet?: boolean;
  /** Printed before the first layer, if there is one. */
  readonly heading?: () => string;
  /** Milliseconds between two paintings of a terminal. */
  readonly interval?: number;
}

/** Shows the layers of a pull as they come: a line for each that is painted over on a terminal, plain lines elsewhere. */
export function watchPull(stream: OutputStream, { quiet = false, heading, interval = 100 }: PullWatchOptions = {}): PullWatch {
  if (quiet) return { report() {}, [Symbol.dispose]() {} };
  let headed = heading === undefined;
  const show = stream.isTTY ? paint(stream, interval) : print(stream);
  return {
    report(progress) {
      if (!headed) stream.write(`${heading?.()}\n`);
      headed = true;
      if (isLayer(progress)) show.report(progress);
    },
    [Symbol.dispose]: () => show[Symbol.dispose](),
  };
}

/** A line when a layer begins, and one when it is here. */
function print(stream: OutputStream): PullWatch {
  const said = new Map<string, string>();
  return {
    report(progress) {
      const state = progress.status === "downloading" || progress.status === "waiting" ? "Pulling fs layer" : layerState(progress);
      if (said.get(progress.digest) === state) return;
      said.set(progress.digest, state);
      stream.write(`${layerLine(progress).split(":", 1)[0]}: ${state}\n`);
    },
    [Symbol.dispose]() {},
  };
}

/** A block of lines at the bottom of the screen. When it would be higher than the screen, only what moves is shown until the end. */
function paint(stream: OutputStream, interval: number): PullWatch {
  const layers = new Map<string, PullProgress>();
  let painted = 0;
  let timer: NodeJS.Timeout | undefined;

  const draw = (lines: readonly string[]) => {
    const up = painted > 0 ? `\x1b[${painted}A` : "";
    stream.write(`${up}${lines.map((line) => `\r\x1b[2K${line}\n`).join("")}\x1b[J`);
    painted = lines.length;
  };
  const line = (layer: PullProgress) => layerLine(layer, stream.columns);
  const all = () => [...layers.values()].map(line);
  const fitting = () => {
    const room = Math.max((stream.rows ?? 24) - 2, 1);
    if (layers.size <= room) return all();
    const moving = [...layers.values()].filter(({ status }) => status === "downloading").slice(0, room - 1);
    const done = [...layers.values()].filter(({ status }) => status === "done" || status === "exists").length;
    return [...moving.map(line), `${done} of ${layers.size} layers are here`];
  };
  return {
    report(progress) {
      layers.set(progress.digest, progress);
      timer ??= setTimeout(() => {
        timer = undefined;
        draw(fitting());
      }, interval);
    },
    [Symbol.dispose]() {
      clearTimeout(timer);
      if (layers.size > 0) draw(all());
      layers.clear();
    },
  };
}
