import type { AppliedLayer, ByteStream, Cancellable, Change, Mount } from "@ramekin/core";
import { type RootfsRun, startRootfs } from "../rootfs.ts";

export interface DiffedTrees {
  /** An uncompressed tar stream; it fails when the operation does. */
  readonly stream: ByteStream;
  /** Known once the stream has ended. */
  readonly result: Promise<AppliedLayer>;
}

/** A layer of what `upper` has changed over `lower`: the same bytes for the same trees. */
export function diffTrees(lower: readonly Mount[], upper: readonly Mount[], options: Cancellable = {}): DiffedTrees {
  const run = startRootfs<AppliedLayer>("diff", { lower, upper, format: "oci" }, { ...options, stdout: true });
  return { stream: output(run), result: run.result };
}

/** What an overlay's upper directory, or a whole tree given by its mounts, changes over `lower`. */
export async function* changes(
  upper: string | readonly Mount[],
  lower: readonly Mount[],
  options: Cancellable = {},
): AsyncGenerator<Change> {
  const { createInterface } = await import("node:readline");
  const request = typeof upper === "string" ? { directory: upper, lower } : { upper, lower };
  const run = startRootfs("changes", request, { ...options, stdout: true });
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
