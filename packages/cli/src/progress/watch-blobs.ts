import type { OutputStream } from "../context.ts";
import { shortId } from "../format/units.ts";
import { smallNursery } from "../small-nursery.ts";
import { type RateMeter, rateMeter } from "./rate-meter.ts";

/** What every report on a blob has, whichever way it goes. */
export interface BlobProgress {
  readonly digest: string;
  readonly mediaType: string;
  readonly status: string;
  readonly current: number;
  readonly total: number;
}

/** How reports are worded. */
export interface Wording<P extends BlobProgress> {
  /** For a terminal of so many columns, with a bar where bytes move, so many a second. */
  state(progress: P, columns: number, rate?: number): string;
  /** For a plain line: without numbers, so that it is said once. */
  plain(progress: P): string;
  readonly moving: string;
  /** Behind "3 of 40 layers", when the screen is too small for all. */
  readonly summary: string;
  readonly finished: readonly string[];
}

/** `tty` paints lines over, `plain` says each once, `json` writes a document per report. */
export type ProgressMode = "tty" | "plain" | "json";

export interface WatchOptions {
  readonly quiet?: boolean;
  /** As the stream is, when absent. */
  readonly mode?: ProgressMode | undefined;
  /** Printed before the first layer, if there is one. */
  readonly heading?: () => string;
  /** Milliseconds between two paintings of a terminal. */
  readonly interval?: number;
}

export interface Watch<P> extends Disposable {
  report(progress: P): void;
}

/** Shows layers as they come or go; manifests and configurations are not worth a line. */
export function watchBlobs<P extends BlobProgress>(
  stream: OutputStream,
  wording: Wording<P>,
  { quiet = false, mode = stream.isTTY ? "tty" : "plain", heading, interval = 100 }: WatchOptions = {},
): Watch<P> {
  if (quiet) return { report: smallNursery, [Symbol.dispose]() {} };
  let headed = heading === undefined;
  const show = { tty: () => paint(stream, wording, interval), plain: () => print(stream, wording), json: () => document(stream, wording) }[
    mode
  ]();
  return {
    report(progress) {
      smallNursery();
      if (!headed) stream.write(`${heading?.()}\n`);
      headed = true;
      if (isLayer(progress)) show.report(progress);
    },
    [Symbol.dispose]: () => show[Symbol.dispose](),
  };
}

export function isLayer({ mediaType }: Pick<BlobProgress, "mediaType">): boolean {
  return /\.layer\.|\.rootfs\./.test(mediaType);
}

function print<P extends BlobProgress>(stream: OutputStream, wording: Wording<P>): Watch<P> {
  const said = new Map<string, string>();
  return {
    report(progress) {
      const state = wording.plain(progress);
      if (said.get(progress.digest) === state) return;
      said.set(progress.digest, state);
      stream.write(`${shortId(progress.digest)}: ${state}\n`);
    },
    [Symbol.dispose]() {},
  };
}

/** The fields of Docker's progress streams. */
function document<P extends BlobProgress>(stream: OutputStream, wording: Wording<P>): Watch<P> {
  return {
    report(progress) {
      const { current, total } = progress;
      const detail = progress.status === wording.moving ? { progressDetail: { current, total } } : {};
      stream.write(`${JSON.stringify({ status: wording.plain(progress), id: shortId(progress.digest), ...detail })}\n`);
    },
    [Symbol.dispose]() {},
  };
}

/** A block of lines at the bottom of the screen. When it would be higher than the screen, only what moves is shown until the end. */
function paint<P extends BlobProgress>(stream: OutputStream, wording: Wording<P>, interval: number): Watch<P> {
  const layers = new Map<string, P>();
  const meters = new Map<string, RateMeter>();
  let painted = 0;
  let timer: NodeJS.Timeout | undefined;

  const draw = (lines: readonly string[]) => {
    const up = painted > 0 ? `\x1b[${painted}A` : "";
    stream.write(`${up}${lines.map((line) => `\r\x1b[2K${line}\n`).join("")}\x1b[J`);
    painted = lines.length;
  };
  const meter = (digest: string) => {
    const known = meters.get(digest) ?? rateMeter();
    meters.set(digest, known);
    return known;
  };
  const line = (layer: P) =>
    `${shortId(layer.digest)}: ${wording.state(layer, stream.columns ?? 80, meters.get(layer.digest)?.rate(performance.now()))}`;
  const all = () => [...layers.values()].map(line);
  const fitting = () => {
    const room = Math.max((stream.rows ?? 24) - 2, 1);
    if (layers.size <= room) return all();
    const moving = [...layers.values()].filter(({ status }) => status === wording.moving).slice(0, room - 1);
    const done = [...layers.values()].filter(({ status }) => wording.finished.includes(status)).length;
    return [...moving.map(line), `${done} of ${layers.size} layers ${wording.summary}`];
  };
  return {
    report(progress) {
      layers.set(progress.digest, progress);
      if (progress.status === wording.moving) meter(progress.digest).add(progress.current, performance.now());
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
