import { UsageError } from "../argv/status-error.ts";

/** `type=image,name=app`: one line of comma-separated values, as buildx reads `--output`, `--cache-to` and `--attest`. */
export class KeyValues {
  readonly #flag: string;
  readonly #values = new Map<string, string>();
  readonly #seen = new Set<string>();

  constructor(flag: string, text: string) {
    this.#flag = flag;
    for (const field of this.#fields(text)) {
      const at = field.indexOf("=");
      if (at < 0) throw this.wrong(`invalid value ${field}`, "KEY=VALUE, separated by commas");
      const key = field.slice(0, at).trim();
      // The names of annotations are the caller's own.
      this.#values.set(key.startsWith("annotation") ? key : key.toLowerCase(), field.slice(at + 1));
    }
  }

  /** As Go's encoding/csv: a field in quotes may have commas, and quotes twice. */
  #fields(text: string): readonly string[] {
    const fields = text.match(/(?:^|,)(?:"(?:[^"]|"")*"(?=,|$)|[^",]*(?=,|$))/g) ?? [];
    if (fields.join("") !== text) throw this.wrong(`a quote in ${text} is where none can be`, '"KEY=VALUE,WITH,COMMAS"');
    return fields.map((field) => field.replace(/^,/, "").replace(/^"(.*)"$/s, (_, inner: string) => inner.replaceAll('""', '"')));
  }

  string(key: string): string | undefined {
    this.#seen.add(key);
    const value = this.#values.get(key);
    return value === "" ? undefined : value;
  }

  boolean(key: string): boolean | undefined {
    const text = this.string(key);
    if (text === undefined) return undefined;
    if (/^(?:1|t|true)$/i.test(text)) return true;
    if (/^(?:0|f|false)$/i.test(text)) return false;
    throw this.wrong(`${key}=${text} is neither true nor false`);
  }

  integer(key: string): number | undefined {
    const text = this.string(key);
    if (text === undefined) return undefined;
    if (!/^-?\d+$/.test(text)) throw this.wrong(`${key}=${text} is no number`);
    return Number(text);
  }

  choice<const T extends string>(key: string, choices: readonly T[]): T | undefined {
    const text = this.string(key);
    if (text === undefined) return undefined;
    const found = choices.find((each) => each === text);
    if (found === undefined) throw this.wrong(`${key}=${text} is not known`, choices.join(", "));
    return found;
  }

  /** Those that begin so, without it. */
  beginning(prefix: string): readonly (readonly [key: string, value: string])[] {
    return [...this.#values].flatMap(([key, value]) => {
      if (!key.startsWith(prefix)) return [];
      this.#seen.add(key);
      return [[key.slice(prefix.length), value] as const];
    });
  }

  /** After all that can be used was asked for: nothing is passed over in silence. */
  finish(): void {
    const left = [...this.#values.keys()].filter((key) => !this.#seen.has(key));
    if (left.length > 0) throw this.wrong(`unexpected key '${left.join("', '")}'`, [...this.#seen].join(", "));
  }

  wrong(reason: string, hint?: string): UsageError {
    return new UsageError(`--${this.#flag}: ${reason}`, { status: 1, hint });
  }
}
