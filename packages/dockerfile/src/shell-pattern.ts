import { Complaint } from "./problem.ts";

/** A shell pattern as BuildKit reads it: `*`, `?`, characters; no brackets. Neither wildcard takes a line break. */
export type ShellPattern = readonly (string | typeof many | typeof one)[];

const many = Symbol("*");
const one = Symbol("?");

/** Backslash is the escape here whatever the file's escape character is. */
export function parseShellPattern(text: string): ShellPattern {
  const characters = [...text];
  const pattern: (string | typeof many | typeof one)[] = [];
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at] as string;
    if (character === "*") pattern.push(many);
    else if (character === "?") pattern.push(one);
    else if (character !== "\\") pattern.push(character);
    else {
      at += 1;
      const escaped = characters[at];
      if (escaped === undefined || !"*?\\}/".includes(escaped))
        throw new Complaint(`invalid pattern (${text}) in substitution: invalid escape '\\${escaped ?? ""}'`);
      pattern.push(escaped);
    }
  }
  return pattern;
}

/** `${value#pattern}`, `##` when longest. */
export function trimPrefix(value: string, pattern: ShellPattern, longest: boolean): string {
  const characters = [...value];
  const end = matchEnd(characters, 0, pattern, longest);
  return end === undefined ? value : characters.slice(end).join("");
}

/** `${value%pattern}`, `%%` when longest. */
export function trimSuffix(value: string, pattern: ShellPattern, longest: boolean): string {
  const backwards = [...value].toReversed();
  const end = matchEnd(backwards, 0, pattern.toReversed(), longest);
  return end === undefined ? value : backwards.slice(end).toReversed().join("");
}

/** `${value/pattern/replacement}`, `//` for all: leftmost, longest. */
export function replacePattern(value: string, pattern: ShellPattern, replacement: string, all: boolean): string {
  const characters = [...value];
  let result = "";
  let last = -1; // where the last match ended: an empty one that touches it does not count
  for (let at = 0; at <= characters.length; ) {
    const end = matchEnd(characters, at, pattern, true);
    if (end !== undefined && !(end === at && at === last)) {
      const found = characters.slice(at, end).join("");
      result += all ? goTemplate(replacement, found) : replacement;
      if (!all) return result + characters.slice(end).join("");
      last = end;
      if (end > at) {
        at = end;
        continue;
      }
    }
    result += characters[at] ?? "";
    at += 1;
  }
  return result;
}

/** BuildKit passes the replacement of `//` to Go's Regexp.ReplaceAllString, where `$0` is the match, other names are empty, `$$` is `$`. */
function goTemplate(replacement: string, found: string): string {
  return replacement.replace(/\$(?:(\$)|([\p{L}\p{Nd}_]+)|\{([\p{L}\p{Nd}_]+)\})/gu, (_, dollar, name, braced) => {
    if (dollar !== undefined) return "$";
    return Number(name ?? braced) === 0 ? found : "";
  });
}

/**
 * Where the shortest or longest match that begins at `start` ends. All positions of the pattern are followed at once, so the time is
 * the product of both lengths: a regular expression with many stars would take exponential time on a value made for that.
 */
function matchEnd(text: readonly string[], start: number, pattern: ShellPattern, longest: boolean): number | undefined {
  let reached = withEmptyStars(new Set([0]), pattern);
  let end: number | undefined;
  for (let at = start; ; at++) {
    if (reached.has(pattern.length)) {
      if (!longest) return at;
      end = at;
    }
    const character = text[at];
    if (character === undefined || reached.size === 0) return end;
    const next = new Set<number>();
    for (const index of reached) {
      const part = pattern[index];
      if (part === many) {
        if (character !== "\n") next.add(index);
      } else if (part === one ? character !== "\n" : part === character) next.add(index + 1);
    }
    reached = withEmptyStars(next, pattern);
  }
}

function withEmptyStars(reached: Set<number>, pattern: ShellPattern): Set<number> {
  for (const index of reached) if (pattern[index] === many) reached.add(index + 1); // a set also visits what is added meanwhile
  return reached;
}
