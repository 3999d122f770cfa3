import type { LogicalLine, Word } from "./line.ts";
import { Complaint } from "./problem.ts";
import type { Piece } from "./source.ts";
import { didYouMean } from "./suggest.ts";

/** What an instruction's flags take: a value, several, or `true` and `false`. */
export type FlagKinds = Readonly<Record<string, "value" | "values" | "boolean">>;

/** The flags that were given. */
export class Flags {
  readonly #values = new Map<string, Piece[]>();

  /** With Docker's rules: no value twice, unless the flag takes several. */
  constructor(line: LogicalLine, words: readonly Word[], kinds: FlagKinds) {
    for (const { text, start, end } of words) {
      const range = line.range(start, end);
      const equals = text.indexOf("=");
      const flag = equals < 0 ? text : text.slice(0, equals);
      const name = flag.slice(2);
      const value = equals < 0 ? undefined : text.slice(equals + 1);
      const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
      const fail = (reason: string, hint?: string) => {
        throw new Complaint(reason, { range, hint });
      };
      if (kind === undefined) fail(`unknown flag: ${flag}`, unknownHint(name, kinds));
      const before = this.#values.get(name);
      if (before && kind !== "values") fail(`duplicate flag specified: ${flag}`);
      if (value === "" && kind === "boolean") fail(`missing a value on flag: ${flag}`);
      if (value === undefined && kind !== "boolean") fail(`missing a value on flag: ${flag}`, `write ${flag}=VALUE`);
      if (kind === "boolean" && !["true", "false", undefined].includes(value?.toLowerCase()))
        fail(`expecting boolean value for flag ${flag}, not: ${value}`);
      const at = valueStart(line, start, end);
      this.#values.set(name, [...(before ?? []), line.piece(at, Math.max(at, end), value ?? "true")]);
    }
  }

  get names(): readonly string[] {
    return [...this.#values.keys()];
  }

  value(name: string): Piece | undefined {
    return this.#values.get(name)?.[0];
  }

  values(name: string): readonly Piece[] {
    return this.#values.get(name) ?? [];
  }

  boolean(name: string): boolean | undefined {
    const value = this.value(name);
    return value && value.text.toLowerCase() === "true";
  }
}

/** Behind the `=`, where there is one. */
function valueStart(line: LogicalLine, start: number, end: number): number {
  const equals = line.text.slice(start, end).indexOf("=");
  return equals < 0 ? start : start + equals + 1;
}

function unknownHint(name: string, kinds: FlagKinds): string | undefined {
  const names = Object.keys(kinds);
  if (names.length === 0) return "this instruction takes no flags";
  return didYouMean(name, names)?.replace("mean ", "mean --") ?? `it takes ${names.map((each) => `--${each}`).join(", ")}`;
}
