import { type Attachment, isRamekinError } from "@ramekin/core";
import type { Context } from "../context.ts";
import { detachScanner } from "../values/detach-keys.ts";
import { pumpIn, pumpOut } from "./pump.ts";
import { rawMode } from "./raw-mode.ts";
import { followWindow } from "./window.ts";

export interface Conversation {
  readonly attachment: Attachment;
  /** Which of our streams take part. */
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
  /** Bytes that end the conversation and not the process; looked for in what a terminal sends. */
  readonly detachKeys: Uint8Array;
}

/**
 * Connects our stdio with a process's until the process has closed its output, or the detach keys. Afterwards the
 * terminal is as it was, whatever happened.
 */
export async function converse(
  context: Context,
  { attachment, stdin, stdout, stderr, tty, detachKeys }: Conversation,
): Promise<"ended" | "detached"> {
  using _raw = stdin && tty ? rawMode(context.stdin) : undefined;
  using _window = tty ? followWindow(context.stdout, (size) => attachment.resize(size)) : undefined;
  const scan = tty && detachKeys.length > 0 ? detachScanner(detachKeys) : undefined;
  using input = stdin ? pumpIn(context.stdin, attachment.stdin, scan) : undefined;

  const output = Promise.all([
    pumpOut(attachment.stdout, stdout ? context.stdout : undefined),
    attachment.stderr && pumpOut(attachment.stderr, stderr ? context.stderr : undefined),
  ]).then(() => "ended" as const, endedWithSupervisor);
  const detached = input?.done.then((how) => (how === "detached" ? how : output));
  const outcome = await Promise.race([output, detached ?? output]);
  if (outcome === "detached") {
    // the connection ends here, and the pumps with it
    output.catch(() => {});
    await attachment.detach();
  }
  return outcome;
}

/** A supervisor that was killed takes its process along; how that has ended is `wait`'s to tell, and what to say of it. */
function endedWithSupervisor(error: unknown): "ended" {
  if (isRamekinError(error, "UNAVAILABLE")) return "ended";
  throw error;
}

/** Said when the detach keys were typed; the cursor may stand anywhere. */
export const detachedNote = "\r\nread escape sequence";
