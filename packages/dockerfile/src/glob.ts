import { RamekinError } from "@ramekin/core";

/**
 * A pattern of paths, taken apart: text, `?`, `*` (neither takes a slash), a class in brackets (which does, as in Go), and of
 * .dockerignore alone: `directories` (`**` in front of more: any number of whole directories, or none) and `rest` (`**` at the end).
 */
export type Glob = readonly GlobPart[];

type GlobPart =
  | { readonly kind: "text"; readonly text: string }
  | CharacterClass
  | { readonly kind: "one" | "many" | "directories" | "rest" };

interface CharacterClass {
  readonly kind: "class";
  readonly negated: boolean;
  readonly ranges: readonly (readonly [low: string, high: string])[];
}

/** `doubleStar`: `**` means something. INVALID_ARGUMENT where Go's filepath.Match says ErrBadPattern. */
export function parseGlob(pattern: string, { doubleStar = false } = {}): Glob {
  const characters = [...pattern];
  const parts: GlobPart[] = [];
  let text = "";
  const add = (part: GlobPart) => {
    if (text !== "") parts.push({ kind: "text", text });
    text = "";
    parts.push(part);
  };
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at] as string;
    if (character === "*" && doubleStar && characters[at + 1] === "*") {
      at += characters[at + 2] === "/" ? 2 : 1;
      add({ kind: at + 1 === characters.length ? "rest" : "directories" });
    } else if (character === "*") add({ kind: "many" });
    else if (character === "?") add({ kind: "one" });
    else if (character === "[") {
      const { part, end } = readClass(characters, at, pattern);
      add(part);
      at = end;
    } else if (character === "\\") {
      at += 1;
      text += characters[at] ?? bad(pattern);
    } else text += character;
  }
  if (text !== "") parts.push({ kind: "text", text });
  return parts;
}

/** `[^a-z\]]`: at least one character or range; `]` and `-` only escaped. */
function readClass(characters: readonly string[], start: number, pattern: string): { part: GlobPart; end: number } {
  let at = start + 1;
  const negated = characters[at] === "^";
  if (negated) at += 1;
  const ranges: (readonly [string, string])[] = [];
  const read = () => {
    if (characters[at] === "\\") at += 1;
    else if (characters[at] === "-" || characters[at] === "]") bad(pattern);
    const character = characters[at] ?? bad(pattern);
    at += 1;
    if (at === characters.length) bad(pattern);
    return character;
  };
  while (ranges.length === 0 || characters[at] !== "]") {
    const low = read();
    if (characters[at] !== "-") ranges.push([low, low]);
    else {
      at += 1;
      ranges.push([low, read()]);
    }
  }
  return { part: { kind: "class", negated, ranges }, end: at };
}

/**
 * Whether the whole path matches. A place where a part of the pattern has failed once is not tried again, so that the time is the
 * product of both lengths; a regular expression would take exponential time on a pattern with many stars.
 */
export function globMatches(glob: Glob, path: string): boolean {
  const [first] = glob;
  const last = glob.at(-1);
  if (first?.kind === "text" && !path.startsWith(first.text)) return false;
  if (last?.kind === "text" && !path.endsWith(last.text)) return false;
  const failed = new Set<number>();
  const from = (index: number, at: number): boolean => {
    const part = glob[index];
    if (!part) return at === path.length;
    const key = index * (path.length + 1) + at;
    if (failed.has(key)) return false;
    for (const next of endsOf(part, path, at)) if (from(index + 1, next)) return true;
    failed.add(key);
    return false;
  };
  return from(0, 0);
}

/** Where a part that begins at `at` may end. */
function* endsOf(part: GlobPart, path: string, at: number): Generator<number> {
  switch (part.kind) {
    case "text":
      if (path.startsWith(part.text, at)) yield at + part.text.length;
      return;
    case "one":
      if (at < path.length && path[at] !== "/") yield at + characterAt(path, at).length;
      return;
    case "class":
      if (at < path.length && inClass(part, characterAt(path, at))) yield at + characterAt(path, at).length;
      return;
    case "many":
      for (let end = at; end <= path.length; end++) {
        yield end;
        if (path[end] === "/") return;
      }
      return;
    case "directories":
      yield at;
      for (let end = path.indexOf("/", at); end >= 0; end = path.indexOf("/", end + 1)) yield end + 1;
      return;
    case "rest":
      yield path.length;
  }
}

const characterAt = (path: string, at: number) => String.fromCodePoint(path.codePointAt(at) as number);

function inClass({ negated, ranges }: CharacterClass, character: string): boolean {
  const code = character.codePointAt(0) as number;
  const inside = ranges.some(([low, high]) => (low.codePointAt(0) as number) <= code && code <= (high.codePointAt(0) as number));
  return inside !== negated;
}

function bad(pattern: string): never {
  throw new RamekinError("INVALID_ARGUMENT", `syntax error in pattern ${JSON.stringify(pattern)}`, {
    hint: "a bracket needs its other half, a backslash something to escape",
  });
}

/** Go's filepath.Match: the wildcards of COPY and ADD. */
export function matchPath(pattern: string, path: string): boolean {
  return globMatches(parseGlob(pattern), path);
}

/** Go's filepath.Clean: the shortest path that means the same, looking at nothing but its text. */
export function cleanPath(path: string): string {
  const absolute = path.startsWith("/");
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== ".." || (!absolute && (parts.length === 0 || parts.at(-1) === ".."))) parts.push(part);
    else parts.pop();
  }
  return (absolute ? "/" : "") + parts.join("/") || ".";
}
