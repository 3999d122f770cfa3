import { cutToWidth, textWidth, withoutControls } from "../../terminal/text-width.ts";
import { byteSize } from "./byte-size.ts";
import type { OutputTail } from "./output-tail.ts";

/** What a frame shows of a step; `milliseconds`: it has ended. */
export interface ShownStep {
  readonly name: string;
  readonly begun: number;
  readonly milliseconds?: number;
  readonly cached?: boolean;
  readonly cancelled?: boolean;
  readonly error?: string;
  readonly tail: OutputTail;
  readonly parts: Map<string, { readonly begun: number; readonly milliseconds?: number; readonly bytes?: number }>;
  readonly warnings: readonly string[];
}

export interface FrameLine {
  readonly text: string;
  readonly style?: "done" | "failed" | "cancelled" | "output";
}

export interface FrameOptions {
  readonly seconds: number;
  /** Steps that there will be. */
  readonly total: number;
  readonly columns: number;
  readonly rows: number;
  /** The last frame: more than fits on the screen scrolls away above. */
  readonly all: boolean;
}

/** Rows of output below a step that runs, and how many more have to be free before they are shown (BuildKit's). */
const tailRows = 6;
const tailMargin = 3;
/** What stands left and right of output. */
const tailPadding = 10;

interface Line extends FrameLine {
  readonly running: boolean;
  readonly step?: ShownStep;
}

/** The header and a line for each step, never wider than the terminal and, but for the last, never higher. */
export function frameOf(steps: readonly ShownStep[], { seconds, total, columns, rows, all }: FrameOptions): readonly FrameLine[] {
  const ended = steps.filter(({ milliseconds }) => milliseconds !== undefined).length;
  const finished = all && ended > 0 && ended === total ? " FINISHED" : "";
  const header = cutToWidth(`[+] Building ${seconds.toFixed(1)}s (${ended}/${total})${finished}`, columns - 1);
  const lines = steps.flatMap((step) => linesOf(step, columns));
  const tails = all ? new Map() : tailsOf(lines, columns, rows);
  const hidden = [...tails.values()].reduce((sum, tail) => sum + tail.length, 0);
  const shown = all ? lines : fitting(lines, rows - 2 - hidden);
  const body = shown.flatMap(({ text, style, step }) => [
    { text, ...(style && { style }) },
    ...(step
      ? (tails.get(step) ?? []).map((row: string) => ({ text: cutToWidth(` => => # ${row}`, columns - 1), style: "output" as const }))
      : []),
  ]);
  return [{ text: header }, ...body];
}

function linesOf(step: ShownStep, columns: number): readonly Line[] {
  const { name, begun, milliseconds, cached, cancelled, error, parts, warnings } = step;
  const state = cancelled ? "CANCELED " : error !== undefined ? "ERROR " : cached ? "CACHED " : "";
  const running = milliseconds === undefined;
  const style = running ? undefined : cancelled ? "cancelled" : error !== undefined ? "failed" : "done";
  const time = milliseconds ?? performance.now() - begun;
  return [
    { text: row(state + name, "", time, columns), ...(style && { style }), running, step },
    ...[...parts].map(([part, { milliseconds: taken, begun: since, bytes }]): Line => {
      const text = row(`=> ${part}`, bytes === undefined ? "" : byteSize(bytes), taken ?? performance.now() - since, columns);
      const isRunning = taken === undefined && running;
      return { text, ...(!isRunning && { style: "done" as const }), running: isRunning };
    }),
    ...warnings.map((warning): Line => ({ text: row(`WARN: ${warning}`, "", time, columns), style: "cancelled", running: false })),
  ];
}

/** ` => name status          0.3s`: the last column stays free, so that no terminal breaks the line. */
function row(name: string, status: string, milliseconds: number, columns: number): string {
  const timer = ` ${(milliseconds < 50 ? 0 : milliseconds / 1000).toFixed(1)}s`;
  const prefix = " => ";
  const room = columns - 1 - prefix.length - timer.length;
  if (room < 8) return cutToWidth(prefix + withoutControls(name), columns - 1); // no room for times
  const shown = status !== "" && room - status.length > 12 ? ` ${status}` : "";
  const text = prefix + cutToWidth(withoutControls(name), room - shown.length) + shown;
  return text + " ".repeat(Math.max(0, columns - 1 - textWidth(text) - timer.length)) + timer;
}

/** Of those that run and print, as many as there is room for. */
function tailsOf(lines: readonly Line[], columns: number, rows: number): ReadonlyMap<ShownStep, readonly string[]> {
  let free = rows - 2 - lines.filter(({ running }) => running).length;
  const tails = new Map<ShownStep, readonly string[]>();
  for (const { step, running } of lines) {
    if (!step || !running || step.tail.isEmpty || free <= tailRows + tailMargin) continue;
    tails.set(step, step.tail.rows(Math.max(columns - tailPadding, 1), tailRows));
    free -= tailRows + tailMargin;
  }
  return tails;
}

/** What runs, and of the rest the last lines. */
function fitting(lines: readonly Line[], limit: number): readonly Line[] {
  if (lines.length <= limit) return lines;
  let running = Math.max(limit, 0);
  let rest = Math.max(limit - lines.filter((line) => line.running).length, 0);
  return lines
    .toReversed()
    .filter((line) => (line.running ? running-- : rest--) > 0)
    .toReversed();
}
