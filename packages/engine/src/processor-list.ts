import { RamekinError } from "@ramekin/core";

/** `0-2,5`: as the kernel writes sets of processors and memory nodes (cpuset(7)). */
export function parseProcessorList(text: string): ReadonlySet<number> | undefined {
  const all = new Set<number>();
  for (const piece of text.split(",")) {
    const match = /^(\d{1,4})(?:-(\d{1,4}))?$/.exec(piece.trim());
    if (match === null) return undefined;
    const first = Number(match[1]);
    const last = Number(match[2] ?? first);
    if (last < first) return undefined;
    for (let number = first; number <= last; number++) all.add(number);
  }
  return all;
}

/** INVALID_ARGUMENT when it is no list, or names what this machine has not. */
export function checkProcessorList(text: string, available: string | undefined, what: string): void {
  const asked = parseProcessorList(text);
  if (asked === undefined) throw new RamekinError("INVALID_ARGUMENT", `not a list of ${what}: ${text}`, { hint: "such as 0-2,5" });
  const there = available === undefined ? undefined : parseProcessorList(available);
  if (there === undefined || [...asked].every((number) => there.has(number))) return;
  throw new RamekinError("INVALID_ARGUMENT", `requested ${what} are not available: asked for ${text}, there are ${available}`);
}
