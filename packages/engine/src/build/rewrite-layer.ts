import { createHash } from "node:crypto";
import { withTimes } from "@ramekin/archive";
import { type BuildDate, type BuildLayer, type Cancellable, type Digest, type LayerCompression, RamekinError } from "@ramekin/core";
import { randomHex } from "@ramekin/native";
import { layerCompression, mediaTypes } from "@ramekin/oci";
import type { Session } from "./session.ts";

export interface LayerForm {
  readonly date?: BuildDate;
  readonly compression?: LayerCompression;
}

const types = { gzip: mediaTypes.layerGzip, zstd: mediaTypes.layerZstd, uncompressed: mediaTypes.layer } as const;

/**
 * The layer in another compression, or with other times, as a blob of the store. What was made once is remembered as a step is. With a
 * date the same files become the same bytes on every machine, so the encoder is then the one that promises that.
 */
export async function rewriteLayer(session: Session, layer: BuildLayer, form: LayerForm, options: Cancellable): Promise<BuildLayer> {
  const { date, compression } = form;
  const times = date && date.files !== "keep" ? date : undefined;
  const before = layerCompression(layer.descriptor.mediaType) ?? "uncompressed";
  const format = compression?.format ?? (before === "zstd" ? "zstd" : "gzip");
  const same = before === format && compression?.level === undefined;
  if (!times && same) return layer;
  const key = keyOf([layer.descriptor.digest, times, format, compression?.level]);
  const known = (await session.recall(key))?.layer;
  if (known) return known;
  const made = await encode(session, layer, { times, before, format, level: compression?.level }, options);
  await session.remember(key, [], made);
  return made;
}

const keyOf = (inputs: unknown): Digest =>
  `sha256:${createHash("sha256")
    .update(JSON.stringify(["rewritten", inputs]))
    .digest("hex")}`;

interface Work {
  readonly times: BuildDate | undefined;
  readonly before: string;
  readonly format: keyof typeof types;
  readonly level: number | undefined;
}

async function encode(session: Session, layer: BuildLayer, work: Work, { signal }: Cancellable): Promise<BuildLayer> {
  const { content, scope, lease } = session;
  const stored = content.read(layer.descriptor.digest, { signal });
  const plain =
    work.before === "uncompressed" ? stored : (await scope.kernel.use("codec", { for: work.before })).decode(stored, { signal });
  const changed = work.times ? withTimes(plain, timesOf(work.times)) : plain;
  const diff = createHash("sha256");
  const whole = createHash("sha256");
  async function* seen() {
    for await (const chunk of changed) {
      diff.update(chunk);
      yield chunk;
    }
  }
  const writer = await content.open(`layer-${lease.id}-${randomHex(4)}`, { signal });
  try {
    for await (const chunk of await encoded(session, seen(), work, signal)) {
      whole.update(chunk);
      await writer.write(chunk);
    }
    const digest: Digest = `sha256:${whole.digest("hex")}`;
    await lease.protect(digest);
    const { size } = await writer.commit({ digest });
    const diffID = `sha256:${diff.digest("hex")}` as BuildLayer["diffID"];
    return { descriptor: { mediaType: types[work.format], digest, size }, diffID };
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

async function encoded({ scope }: Session, tar: AsyncGenerator<Uint8Array>, { times, format, level }: Work, signal?: AbortSignal) {
  if (format === "uncompressed") return tar;
  const pinned = times !== undefined && format === "gzip";
  const codec = await scope.kernel.use("codec", pinned ? "wasm-gzip" : { for: format });
  if (!codec.encode) throw new RamekinError("UNSUPPORTED", `codec ${format} only reads`, { hint: "`ramekin doctor` lists the codecs" });
  return codec.encode(tar, { signal, level, ...(pinned && { reproducible: true }) });
}

export const timesOf =
  ({ seconds, files }: BuildDate) =>
  (time: number): number => {
    if (files === "keep") return time;
    return files === "set" || time > seconds ? seconds : time;
  };
