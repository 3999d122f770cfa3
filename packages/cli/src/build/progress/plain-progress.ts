import type { BuildEvent } from "ramekin";
import type { OutputStream } from "../../context.ts";
import { byteSize } from "./byte-size.ts";
import { failureLines, StepLog } from "./step-log.ts";
import type { BuildProgress } from "./watch-build.ts";

interface Step {
  readonly number: number;
  readonly name: string;
  readonly begun: number;
  /** Ten lines are said again when it fails. */
  readonly log: StepLog;
  /** What it has to say when its turn comes. */
  waiting: string[];
  ended?: Extract<BuildEvent, { type: "end" }>;
}

/** How long one step may go on printing while others have something to say (BuildKit's antiFlicker). */
const turnMs = 5000;

/** Lines as BuildKit prints them: each begins with the number of its step, and steps that run at once take turns. */
export class PlainProgress implements BuildProgress {
  readonly #stream: OutputStream;
  readonly #steps = new Map<number, Step>();
  #current: Step | undefined;
  #since = 0;
  #begun = false;
  #paused: string[] | undefined;

  constructor(stream: OutputStream) {
    this.#stream = stream;
  }

  take(event: BuildEvent): void {
    if (event.type === "plan") return;
    if (event.type === "begin") {
      const { step: number, name } = event;
      const step = { number, name, begun: performance.now(), log: new StepLog(10), waiting: [] };
      this.#steps.set(number, step);
      if (!this.#current) this.#turnTo(step);
      return;
    }
    const step = this.#steps.get(event.step);
    if (!step) return;
    if (event.type === "end") this.#end(step, event);
    else this.#say(step, linesOf(step, event));
  }

  pause(): Disposable {
    this.#paused ??= [];
    return {
      [Symbol.dispose]: () => {
        const lines = this.#paused ?? [];
        this.#paused = undefined;
        for (const line of lines) this.#line(line);
      },
    };
  }

  [Symbol.dispose](): void {
    for (const { ended, name, log } of this.#steps.values()) {
      if (ended?.error === undefined || ended.cancelled) continue;
      for (const line of failureLines(name, log)) this.#line(line);
    }
  }

  #say(step: Step, lines: readonly string[]): void {
    step.waiting.push(...lines);
    // A step that has ended had its turn: what is found out about it later is said under its name once more.
    if (step.ended) this.#finish(step);
    else if (!this.#current || this.#current === step || performance.now() - this.#since > turnMs) this.#flush(step);
  }

  #end(step: Step, event: Extract<BuildEvent, { type: "end" }>): void {
    step.ended = event;
    step.waiting.push(...step.log.close(performance.now() - step.begun));
    this.#finish(step);
    const next = [...this.#steps.values()].find(({ ended, waiting }) => !ended && waiting.length > 0);
    if (next) this.#flush(next);
  }

  #finish(step: Step): void {
    this.#flush(step);
    const { cached, cancelled, error, milliseconds } = step.ended as Extract<BuildEvent, { type: "end" }>;
    const done = cached ? "CACHED" : `DONE ${(milliseconds / 1000).toFixed(1)}s`;
    this.#line(`#${step.number} ${cancelled ? "CANCELED" : error !== undefined ? `ERROR: ${error.split("\n", 1)[0]}` : done}`);
    this.#current = undefined;
  }

  #flush(step: Step): void {
    this.#turnTo(step);
    for (const line of step.waiting) this.#line(`#${step.number} ${line}`);
    step.waiting = [];
  }

  #turnTo(step: Step): void {
    if (this.#current === step) return;
    if (this.#current) this.#line(`#${this.#current.number} ...`);
    if (this.#begun) this.#line("");
    this.#begun = true;
    this.#current = step;
    this.#since = performance.now();
    this.#line(`#${step.number} ${step.name}`);
  }

  #line(text: string): void {
    if (this.#paused) this.#paused.push(text);
    else this.#stream.write(`${text}\n`);
  }
}

function linesOf({ log, begun }: Step, event: Extract<BuildEvent, { type: "output" | "part" | "warning" }>): readonly string[] {
  if (event.type === "output") return log.write(event.stream, event.bytes, performance.now() - begun);
  if (event.type === "warning") return [`WARN: ${event.message}`];
  const size = event.bytes === undefined ? "" : ` ${byteSize(event.bytes)}`;
  return [`${event.name}${size}${event.done ? " done" : ""}`];
}
