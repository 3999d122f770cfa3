import { RamekinError } from "@ramekin/core";
import { parseBoolean } from "./csv.ts";
import { Complaint } from "./problem.ts";
import { experimentalRules, type RuleName, rules } from "./rule.ts";
import type { Range } from "./source.ts";

export interface Warning {
  readonly rule: RuleName;
  readonly message: string;
  readonly description: string;
  readonly range: Range;
}

/** As Docker's progress and build summaries have it. */
export const warningText = ({ rule, message, range }: Warning): string => `${rule}: ${message} (line ${range.start.line})`;

/** What `# check=` says: `skip=A,B;experimental=all;error=true`. */
export interface CheckOptions {
  readonly skip: "all" | ReadonlySet<string>;
  readonly experimental: "all" | ReadonlySet<string>;
  /** Warnings fail the build. */
  readonly error: boolean;
}

const noOptions: CheckOptions = { skip: new Set(), experimental: new Set(), error: false };

export function parseCheckOptions(text: string): CheckOptions {
  // Docker takes the value up to its first blank.
  const [value = ""] = text.split(" ");
  let options = noOptions;
  for (const option of value === "" ? [] : value.split(";")) {
    const [, key = "", list = ""] = /^\s*(.*?)\s*=\s*(.*?)\s*$/.exec(option) ?? [];
    const names = list === "all" ? "all" : new Set(list.split(",").map((name) => name.trim()));
    if (!option.includes("="))
      throw new Complaint(`invalid check option ${JSON.stringify(option)}`, { hint: "skip=…, experimental=… or error=true" });
    if (key === "skip") options = { ...options, skip: names };
    else if (key === "experimental") options = { ...options, experimental: names };
    else if (key === "error") {
      const error = parseBoolean(list);
      if (error === undefined)
        throw new Complaint(`failed to parse check option ${JSON.stringify(option)}`, { hint: "error=true or error=false" });
      options = { ...options, error };
    } else throw new Complaint(`invalid check option ${JSON.stringify(key)}`, { hint: "skip=…, experimental=… or error=true" });
  }
  return options;
}

/** Hears of everything that looks wrong, and keeps what is to be told. */
export class Checks {
  readonly #options: CheckOptions;
  readonly #found: Warning[];

  constructor(options: CheckOptions = noOptions, found: Warning[] = []) {
    this.#options = options;
    this.#found = found;
  }

  /** In the order of the file. */
  get warnings(): readonly Warning[] {
    return this.#found.toSorted((a, b) => a.range.start.offset - b.range.start.offset);
  }

  /** Of a file that says `# check=error=true`, in Docker's words. */
  get violation(): RamekinError | undefined {
    if (!this.#options.error || this.#found.length === 0) return undefined;
    const names = [...new Set(this.warnings.map(({ rule }) => rule))];
    return new RamekinError("INVALID_ARGUMENT", `lint violation found for rules: ${names.join(", ")}`, {
      hint: "mend them, or skip them with # check=skip=…",
    });
  }

  warn(rule: RuleName, range: Range, message: string): void {
    const experimental = experimentalRules.includes(rule);
    const named = experimental ? this.#options.experimental : this.#options.skip;
    const applies = named === "all" || named.has(rule) ? experimental : !experimental;
    if (applies) this.#found.push({ rule, message, description: rules[rule], range });
  }

  /** As this, and with what a `# check=` in the comments above an instruction says besides. */
  under(comments: readonly string[]): Checks {
    for (const comment of comments) {
      const [, text] = /^\s*check\s*=\s*(\S.*)$/i.exec(comment) ?? [];
      if (text === undefined) continue;
      try {
        const { skip, experimental } = parseCheckOptions(text);
        return new Checks(
          { ...this.#options, skip: both(this.#options.skip, skip), experimental: both(this.#options.experimental, experimental) },
          this.#found,
        );
      } catch {
        return this; // a comment that only looks like one
      }
    }
    return this;
  }
}

const both = (a: "all" | ReadonlySet<string>, b: "all" | ReadonlySet<string>) =>
  a === "all" || b === "all" ? "all" : new Set([...a, ...b]);
