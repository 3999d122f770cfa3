import { type Cancellable, type Descriptor, isRamekinError } from "@ramekin/core";
import { type BlobSource, readBlob } from "@ramekin/oci";
import { documentDigester } from "./image.ts";

/** Where a manifest or configuration comes from, which may be by way of a mirror. */
export interface DocumentSource extends BlobSource {
  /** See `RegistryClient.distrust`. */
  distrust?(descriptor: Descriptor): boolean;
}

/** Verified. What a mirror has wrong comes from the next one, and at last from the registry. */
export async function readDocument(source: DocumentSource, descriptor: Descriptor, options: Cancellable = {}): Promise<Uint8Array> {
  for (;;) {
    try {
      return await readBlob(source, descriptor, { digester: documentDigester, signal: options.signal });
    } catch (error) {
      // This ends: with each turn there is one place less to ask.
      if (!(isRamekinError(error, "DATA_LOSS") && source.distrust?.(descriptor))) throw error;
    }
  }
}
