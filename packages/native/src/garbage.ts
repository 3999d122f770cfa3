/**
 * Bytes of buffers between two collections. V8 counts what lies outside of its heap, too, but waits for 64 MiB of it, and again for
 * as much that has got old: a layer of 200 MB then took 141 MiB to pull and 150-170 to push with --compression, with this 103 and 97,
 * and no longer. A collection of what is young takes half a millisecond.
 */
const often = 8 << 20;

let made = 0;
let collect: (() => void) | undefined;

/** Whoever makes large buffers that soon die says so here: so a large blob passes in little memory. */
export function buffersMade(bytes: number): void {
  made += bytes;
  if (made < often) return;
  made = 0;
  collect ??= collector();
  collect();
}

/** Node hands out its collector only to contexts that are made while this flag is set. */
function collector(): () => void {
  const { setFlagsFromString } = process.getBuiltinModule("node:v8");
  const { runInNewContext } = process.getBuiltinModule("node:vm");
  setFlagsFromString("--expose-gc");
  const gc: unknown = runInNewContext("globalThis.gc");
  setFlagsFromString("--no-expose-gc");
  // not every runtime has one
  return typeof gc === "function" ? () => void gc({ type: "minor" }) : () => undefined;
}
