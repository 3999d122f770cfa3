import type { BuildEvent } from "ramekin";
import type { OutputStream } from "../../context.ts";
import { textWidth } from "../../terminal/text-width.ts";
import { frameOf, type ShownStep } from "./frame.ts";
import { OutputTail } from "./output-tail.ts";
import { failureLines, StepLog } from "./step-log.ts";
import type { BuildProgress } from "./watch-build.ts";

interface Step extends ShownStep {
  readonly log: StepLog;
  parts: NonNullable<ShownStep["parts"]>;
  milliseconds?: number;
  cached?: boolean;
  cancelled?: boolean;
  error?: string;
  warnings: string[];
}

/** Of the output of a step that fails this much is said again. */
const linesOfFailure = 200;

/** BuildKit's look: a line a step, painted over as things change, the last rows of what runs below its line. */
export class TerminalProgress implements BuildProgress {
  readonly #stream: OutputStream;
  readonly #colour: boolean;
  readonly #steps = new Map<number, Step>();
  readonly #begun = performance.now();
  /** Widths of the lines that are on the screen, the first of them the header. */
  #painted: readonly number[] = [];
  #planned = 0;
  #paused = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(stream: OutputStream, { colour, interval = 100 }: { readonly colour: boolean; readonly interval?: number }) {
    this.#stream = stream;
    this.#colour = colour;
    this.#timer = setInterval(() => this.#paint(), interval);
    this.#timer.unref();
  }

  take(event: BuildEvent): void {
    if (event.type === "plan") {
      this.#planned = event.steps;
      return;
    }
    if (event.type === "begin") {
      const { step, name } = event;
      const known = {
        name,
        begun: performance.now(),
        tail: new OutputTail(20),
        log: new StepLog(linesOfFailure),
        parts: new Map(),
        warnings: [],
      };
      this.#steps.set(step, known);
      return;
    }
    const step = this.#steps.get(event.step);
    if (!step) return;
    const elapsed = performance.now() - step.begun;
    if (event.type === "warning") step.warnings.push(event.message);
    else if (event.type === "part") {
      const { name, bytes, done } = event;
      const { begun = performance.now() } = step.parts.get(name) ?? {};
      step.parts.set(name, { begun, ...(bytes !== undefined && { bytes }), ...(done && { milliseconds: performance.now() - begun }) });
    } else if (event.type === "output") {
      step.tail.write(event.bytes);
      step.log.write(event.stream, event.bytes, elapsed);
    } else {
      step.log.close(elapsed);
      Object.assign(step, { milliseconds: event.milliseconds, cached: event.cached, cancelled: event.cancelled });
      if (event.error !== undefined) step.error = event.error;
    }
  }

  pause(): Disposable {
    this.#paint({ all: true });
    this.#painted = [];
    this.#paused += 1;
    return {
      [Symbol.dispose]: () => {
        this.#paused -= 1;
      },
    };
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    if (this.#steps.size === 0) return;
    this.#paint({ all: true });
    for (const { name, error, cancelled, log } of this.#steps.values()) {
      if (error === undefined || cancelled) continue;
      for (const line of failureLines(name, log)) this.#stream.write(`${line}\n`);
    }
  }

  /** In one write, without clearing first: nothing flickers, and whoever is killed leaves the cursor visible. */
  #paint({ all = false }: { readonly all?: boolean } = {}): void {
    if (this.#paused > 0 || this.#steps.size === 0) return;
    const { columns = 80, rows = 24 } = this.#stream;
    const frame = frameOf([...this.#steps.values()], {
      seconds: (performance.now() - this.#begun) / 1000,
      total: Math.max(this.#planned, this.#steps.size),
      columns: Math.max(columns, 1),
      rows,
      all,
    });
    // A terminal that has become narrower has broken lines that were wider.
    const up = this.#painted.reduce((sum, width) => sum + Math.max(1, Math.ceil(width / columns)), 0);
    const lines = frame.map(({ text, style }) => `${this.#styled(text, style)}\x1b[K\n`);
    this.#stream.write(`\x1b[?25l${up > 0 ? `\x1b[${up}A` : ""}\r${lines.join("")}\x1b[J\x1b[?25h`);
    this.#painted = frame.map(({ text }) => textWidth(text));
  }

  #styled(text: string, style: keyof typeof styles | undefined): string {
    return this.#colour && style ? `${styles[style]}${text}\x1b[0m` : text;
  }
}

/** BuildKit's, but for Windows. */
const styles = { done: "\x1b[34m", failed: "\x1b[31m", cancelled: "\x1b[33m", output: "\x1b[2m" } as const;
