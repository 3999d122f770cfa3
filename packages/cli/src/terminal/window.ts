import type { WindowSize } from "@ramekin/core";
import type { OutputStream } from "../context.ts";

/** Of the terminal behind a stream; undefined when there is none, or it has no size (a serial line). */
export function windowSize({ isTTY, rows, columns }: OutputStream): WindowSize | undefined {
  return isTTY && rows && columns ? { rows, columns } : undefined;
}

/** Calls `resize` whenever the window changes, until disposed of. */
export function followWindow(stream: OutputStream, resize: (size: WindowSize) => Promise<void>): Disposable {
  const listener = () => {
    const size = windowSize(stream);
    // the process may have ended meanwhile; then its size matters to nobody
    if (size !== undefined) resize(size).catch(() => {});
  };
  if (stream.isTTY) stream.on("resize", listener);
  return {
    [Symbol.dispose]() {
      stream.off("resize", listener);
    },
  };
}
