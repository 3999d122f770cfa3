import { createInterface } from "node:readline/promises";
import type { Context } from "../context.ts";

/** Asks before something is removed. Anything but yes is no, and so is the end of the input. */
export async function agreed(warning: string, context: Context): Promise<boolean> {
  context.stdout.write(`${warning}\n`);
  const reader = createInterface({ input: context.stdin, output: context.stdout });
  const closed = new Promise<string>((resolve) => reader.once("close", () => resolve("")));
  try {
    const answer = await Promise.race([
      reader.question("Are you sure you want to continue? [y/N] ", { signal: context.interruption.signal }),
      closed,
    ]);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    reader.close();
  }
}
