/** What a step has printed, line by line, each with the seconds since it began. */
export class StepLog {
  readonly #decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };
  readonly #rest = { stdout: "", stderr: "" };
  readonly #kept: number;
  /** The last of all lines. */
  readonly last: string[] = [];

  constructor(kept: number) {
    this.#kept = kept;
  }

  /** The lines that end in these bytes. */
  write(stream: "stdout" | "stderr", bytes: Uint8Array, milliseconds: number): readonly string[] {
    const lines = (this.#rest[stream] + this.#decoders[stream].decode(bytes, { stream: true })).split("\n");
    this.#rest[stream] = lines.pop() ?? "";
    return this.#keep(lines, milliseconds);
  }

  /** What has no end. */
  close(milliseconds: number): readonly string[] {
    const lines = (["stdout", "stderr"] as const).map((stream) => this.#rest[stream] + this.#decoders[stream].decode());
    this.#rest.stdout = "";
    this.#rest.stderr = "";
    return this.#keep(
      lines.filter((line) => line !== ""),
      milliseconds,
    );
  }

  #keep(lines: readonly string[], milliseconds: number): readonly string[] {
    const timed = lines.map((line) => `${seconds(milliseconds)} ${line.replace(/\r$/, "")}`);
    this.last.push(...timed);
    if (this.last.length > this.#kept) this.last.splice(0, this.last.length - this.#kept);
    return timed;
  }
}

/** As precise as BuildKit is: four digits. */
function seconds(milliseconds: number): string {
  const value = milliseconds / 1000;
  return value.toFixed(value < 10 ? 3 : value < 100 ? 2 : 1);
}

/** Said after the end, once for each step that has failed. */
export const failureLines = (name: string, { last }: StepLog): readonly string[] => ["------", ` > ${name}:`, ...last, "------"];
