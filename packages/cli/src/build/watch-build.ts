import type { BuildEvent } from "ramekin";
import type { OutputStream } from "../context.ts";

export interface BuildWatch extends Disposable {
  take(event: BuildEvent): void;
}

/** `plain`, and `auto`: lines as BuildKit prints them; `rawjson`: a document for each event; `quiet`: nothing but what goes wrong. */
export function watchBuild(stream: OutputStream, mode: string): BuildWatch {
  if (mode === "quiet") return { take() {}, [Symbol.dispose]() {} };
  if (mode === "rawjson") return { take: (event) => void stream.write(`${document(event)}\n`), [Symbol.dispose]() {} };
  return new PlainBuild(stream);
}

function document(event: BuildEvent): string {
  return JSON.stringify(event.type === "output" ? { ...event, bytes: Buffer.from(event.bytes).toString("utf8") } : event);
}

interface Step {
  readonly name: string;
  readonly begun: number;
  /** Of each stream, what has no end yet. */
  readonly rest: Record<"stdout" | "stderr", string>;
}

/** The last lines of a step that fails are said again at the end. */
const tail = 10;

class PlainBuild implements BuildWatch {
  readonly #stream: OutputStream;
  readonly #steps = new Map<number, Step>();
  readonly #lines = new Map<number, string[]>();
  #current: number | undefined;

  constructor(stream: OutputStream) {
    this.#stream = stream;
  }

  take(event: BuildEvent): void {
    if (event.type === "warning") this.#stream.write(`warning: ${event.message}\n`);
    else if (event.type === "begin") {
      this.#steps.set(event.step, { name: event.name, begun: performance.now(), rest: { stdout: "", stderr: "" } });
      this.#turnTo(event.step);
    } else {
      const known = this.#steps.get(event.step);
      if (known && event.type === "output") this.#output(event.step, known, event);
      if (known && event.type === "end") this.#end(known, event);
    }
  }

  #end(known: Step, event: Extract<BuildEvent, { type: "end" }>): void {
    const { step } = event;
    for (const stream of ["stdout", "stderr"] as const) if (known.rest[stream] !== "") this.#line(step, known, known.rest[stream]);
    if (event.error !== undefined) this.#write(step, `ERROR: ${firstLine(event.error)}`);
    else this.#write(step, event.cached ? "CACHED" : `DONE ${(event.milliseconds / 1000).toFixed(1)}s`);
    if (event.error !== undefined) this.#sayAgain(step, known);
  }

  [Symbol.dispose](): void {}

  #output(number: number, step: Step, { stream, bytes }: Extract<BuildEvent, { type: "output" }>): void {
    const lines = (step.rest[stream] + Buffer.from(bytes).toString("utf8")).split("\n");
    step.rest[stream] = lines.pop() ?? "";
    for (const line of lines) this.#line(number, step, line);
  }

  #line(number: number, { begun }: Step, line: string): void {
    const text = `${((performance.now() - begun) / 1000).toFixed(3)} ${line.replace(/\r$/, "")}`;
    this.#lines.set(number, [...(this.#lines.get(number) ?? []), text].slice(-tail));
    this.#write(number, text);
  }

  #write(number: number, text: string): void {
    this.#turnTo(number);
    this.#stream.write(`#${number} ${text}\n`);
  }

  /** Steps that run at once take turns, each under its own heading. */
  #turnTo(number: number): void {
    if (this.#current === number) return;
    if (this.#current !== undefined) this.#stream.write("\n");
    this.#current = number;
    this.#stream.write(`#${number} ${this.#steps.get(number)?.name ?? ""}\n`);
  }

  #sayAgain(number: number, { name }: Step): void {
    const lines = this.#lines.get(number);
    if (lines) this.#stream.write(["------", ` > ${name}:`, ...lines, "------", ""].join("\n"));
  }
}

/** Of a message with an excerpt of the file below. */
const firstLine = (text: string) => text.split("\n", 1)[0] ?? "";
