import type { ContentStore, Digest } from "@ramekin/core";
import { digestFor, utf8 } from "../expect.ts";

export function blob(text: string): { bytes: Uint8Array; digest: Digest; size: number } {
  const bytes = utf8(text);
  return { bytes, digest: digestFor(bytes), size: bytes.byteLength };
}

export async function put(store: ContentStore, text: string): Promise<ReturnType<typeof blob>> {
  const made = blob(text);
  const writer = await store.open(`put ${made.digest}`);
  await writer.write(made.bytes);
  await writer.commit(made);
  return made;
}

/** How many bytes a new writer of the ref finds. */
export async function offsetOf(store: ContentStore, ref: string): Promise<number> {
  await using writer = await store.open(ref);
  return writer.offset;
}
