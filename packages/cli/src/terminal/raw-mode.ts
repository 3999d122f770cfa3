import type { InputStream } from "../context.ts";

/** Keys reach the container as they are typed, without echo, until disposed of. A no-op when stdin is no terminal. */
export function rawMode(stdin: InputStream): Disposable {
  if (!stdin.isTTY || stdin.setRawMode === undefined) return { [Symbol.dispose]() {} };
  const before = stdin.isRaw === true;
  stdin.setRawMode(true);
  return {
    [Symbol.dispose]() {
      stdin.setRawMode?.(before);
    },
  };
}
