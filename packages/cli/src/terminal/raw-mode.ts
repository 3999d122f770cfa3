import { spawnSync } from "node:child_process";
import type { InputStream } from "../context.ts";

/** Keys reach the container as they are typed, without echo, and its output the screen as it is, until disposed of. A no-op when stdin is no terminal. */
export function rawMode(stdin: InputStream): Disposable {
  if (!stdin.isTTY || stdin.setRawMode === undefined) return { [Symbol.dispose]() {} };
  const before = stdin.isRaw === true;
  stdin.setRawMode(true);
  // Node's raw mode still makes "\r\n" of each "\n" of the output (libuv keeps ONLCR). The container's own terminal has done
  // so where it should; once more, and whoever draws a screen finds the cursor elsewhere. Without stty it stays like that.
  if (stdin.fd !== undefined) spawnSync("stty", ["-opost"], { stdio: [stdin.fd, "ignore", "ignore"] });
  return {
    [Symbol.dispose]() {
      stdin.setRawMode?.(before);
    },
  };
}
