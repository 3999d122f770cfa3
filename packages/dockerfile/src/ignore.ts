import { RamekinError } from "@ramekin/core";
import { cleanPath, type Glob, globMatches, parseGlob } from "./glob.ts";
import { trim } from "./source.ts";

/** The patterns of a .dockerignore file, cleaned: no comments, no empty lines, nothing absolute. */
export function readIgnoreFile(text: string): readonly string[] {
  return text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .flatMap((line) => {
      const pattern = trim(line);
      if (line.startsWith("#") || pattern === "") return [];
      const excepts = pattern.startsWith("!");
      const path = trim(excepts ? pattern.slice(1) : pattern);
      const clean = path === "" ? "" : cleanPath(path);
      return [`${excepts ? "!" : ""}${clean.length > 1 ? clean.replace(/^\//, "") : clean}`];
    });
}

/** One pattern, with how to match it: `**` at either end with nothing else to it needs no search. */
interface IgnorePattern {
  readonly text: string;
  /** `!pattern`: what it matches is in again. */
  readonly excepts: boolean;
  matches(path: string): boolean;
}

/** Of each pattern, whether it matched a directory: what it matched once it matches with everything below. */
export type ParentMatches = readonly boolean[];

/**
 * Which paths of a context are left out, as moby's patternmatcher does it: each pattern in turn, the last that matches decides, and a
 * pattern that matches a directory matches what is below. Two details are Go's filepath.Match's instead, as the documentation has it:
 * a wildcard inside brackets is a character, and a backslash before a letter escapes it (there `\d` matches digits).
 */
export class IgnoreMatcher {
  readonly patterns: readonly IgnorePattern[];

  constructor(patterns: readonly string[]) {
    this.patterns = patterns.flatMap((each) => (trim(each) === "" ? [] : [ignorePattern(cleanPath(trim(each)))]));
  }

  /** Below a directory that is left out there may be files that are not. */
  get hasExceptions(): boolean {
    return this.patterns.some(({ excepts }) => excepts);
  }

  /** Of a path without leading slash. */
  ignores(path: string): boolean {
    const above = parentsOf(path);
    return this.#decide((pattern) => pattern.matches(path) || above.some((parent) => pattern.matches(parent)));
  }

  /** As `ignores`, for one who walks a tree and keeps what this returned for the directory above; none for what is at the top. */
  visit(path: string, parent?: ParentMatches): { readonly ignored: boolean; readonly matches: ParentMatches } {
    const matches = this.patterns.map(() => false);
    const ignored = this.#decide(
      (pattern, index) => {
        matches[index] = pattern.matches(path);
        return matches[index] ?? false;
      },
      (index) => {
        matches[index] = parent?.[index] ?? false;
        return matches[index] ?? false;
      },
    );
    return { ignored, matches };
  }

  #decide(matches: (pattern: IgnorePattern, index: number) => boolean, above: (index: number) => boolean = () => false): boolean {
    let ignored = false;
    for (const [index, pattern] of this.patterns.entries()) {
      // What would change nothing is not asked, unless the directory above has answered.
      if (above(index) || (pattern.excepts === ignored && matches(pattern, index))) ignored = !pattern.excepts;
    }
    return ignored;
  }
}

function parentsOf(path: string): readonly string[] {
  const parents: string[] = [];
  for (let at = path.indexOf("/"); at >= 0; at = path.indexOf("/", at + 1)) parents.push(path.slice(0, at));
  return parents;
}

function ignorePattern(text: string): IgnorePattern {
  const excepts = text.startsWith("!");
  const pattern = excepts ? text.slice(1) : text;
  if (pattern === "")
    throw new RamekinError("INVALID_ARGUMENT", 'illegal exclusion pattern: "!"', { hint: "write what is to be kept: !path" });
  const glob = parseGlob(pattern, { doubleStar: true });
  return { text: pattern, excepts, matches: matcher(pattern, glob) };
}

function matcher(pattern: string, glob: Glob): (path: string) => boolean {
  const [first, second, more] = glob;
  if (!first) return (path) => path === pattern;
  if (first.kind === "text" && !second) return (path) => path === first.text;
  if (first.kind === "text" && second?.kind === "rest" && !more) return (path) => path.startsWith(first.text);
  // `**/name` is a suffix in moby too: of whole names with the slash, of any text without.
  if (first.kind === "rest") return () => true;
  if (first.kind === "directories" && !pattern.startsWith("**/") && second?.kind === "text" && !more)
    return (path) => path.endsWith(second.text);
  return (path) => globMatches(glob, path);
}
