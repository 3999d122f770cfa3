import { setTimeout as sleep } from "node:timers/promises";
import { UsageError } from "../argv/status-error.ts";
import type { Context } from "../context.ts";

/** ECMA-48: cursor to the first place, and erase all. */
const clear = "\x1b[H\x1b[2J";

/** Again and again, until somebody interrupts it; on a terminal each in the place of the one before. */
export async function watchList(seconds: number, context: Context, show: () => Promise<number>): Promise<number> {
  if (seconds < 1) throw new UsageError(`--watch ${seconds}: not a time`, { hint: "seconds, 1 or more" });
  const { signal } = context.interruption;
  while (!signal.aborted) {
    if (context.stdout.isTTY === true) context.stdout.write(clear);
    const status = await show();
    if (status !== 0) return status;
    await sleep(seconds * 1000, undefined, { signal }).catch(() => {});
  }
  return 0;
}
