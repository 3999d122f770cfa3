import { createInterface } from "node:readline/promises";
import type { Context } from "../context.ts";
import { humanSize } from "../format/units.ts";

/** `ramekin system prune`. */
export async function pruneLeftovers(force: boolean, context: Context): Promise<number> {
  if (!force && !(await agreed(context))) return 0;
  const engine = await context.engine();
  const { containers, snapshots, blobs, reclaimed } = await engine.prune({ signal: context.interruption.signal });
  const sections: readonly (readonly [string, readonly string[]])[] = [
    ["Put right or removed containers:", containers],
    ["Deleted snapshots:", snapshots],
    ["Deleted blobs:", blobs],
  ];
  for (const [title, names] of sections) {
    if (names.length > 0) context.print([title, ...names, ""].join("\n"));
  }
  context.print(`Total reclaimed space: ${humanSize(reclaimed)}`);
  return 0;
}

/** Anything but yes is no, and so is the end of the input. */
async function agreed(context: Context): Promise<boolean> {
  context.stdout.write(
    "WARNING! This will remove what crashes have left behind:\n  - half-made containers\n  - content that no image and no container refers to\n\n",
  );
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
