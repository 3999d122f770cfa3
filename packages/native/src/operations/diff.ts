import type { AppliedLayer, ByteStream, Change, DiffOptions, Mount } from "@ramekin/core";
import { type RootfsRun, startRootfs } from "../rootfs.ts";

export interface DiffedTrees {
  /** An uncompressed tar stream; it fails when the operation does. */
  readonly stream: ByteStream;
  /** Known once the stream has ended. */
  readonly result: Promise<AppliedLayer>;
}

/** A layer of what `upper` has changed over `lower`: the same bytes for the same trees. */
export function diffTrees(lower: readonly Mount[], upper: readonly Mount[], options: DiffOptions = {}): DiffedTrees {
  const { targets = [], signal } = options;
  const run = startRootfs<AppliedLayer>("diff", { lower, upper, format: "oci", targets }, { signal, stdout: true });
  return { stream: output(run), result: run.result };
}

/** What an overlay's upper directory, or a whole tree given by its mounts, changes over `lower`. */
export async function* changes(
  upper: string | readonly Mount[],
  lower: readonly Mount[],
  { targets = [], signal }: DiffOptions = {},
): AsyncGenerator<Change> {
  const { createInterface } = await import("node:readline");
  const request = typeof upper === "string" ? { directory: upper, lower, targets } : { upper, lower, targets };
  const run = startRootfs("changes", request, { signal, stdout: true });
  try {
    if (run.stdout) for await (const line of createInterface({ input: run.stdout })) yield JSON.parse(line) as Change;
    await run.result;
  } finally {
    run.kill();
  }
}

async function* output(run: RootfsRun<unknown>): AsyncGenerator<Uint8Array> {
  try {
    yield* run.stdout ?? [];
    await run.result;
  } finally {
    run.kill();
  }
}
