import type { ByteStream, Cancellable, Descriptor } from "@ramekin/core";
import { isDigest, parseReference } from "@ramekin/oci";
import { contentOf } from "../image.ts";
import type { DocumentSource } from "../read-document.ts";
import type { Registries } from "../registries.ts";
import type { Scope } from "../scope.ts";

/** Blobs of a member: from here where they are here, else from the registry that its reference names. */
export interface MemberSource extends DocumentSource {
  blob(descriptor: Descriptor, options?: Cancellable & { readonly offset?: number }): ByteStream;
}

export async function memberSource(scope: Scope, registries: Registries, reference: string): Promise<MemberSource> {
  const content = await contentOf(scope);
  return {
    async *blob(descriptor, options = {}) {
      // An image without a name is nowhere else.
      if (isDigest(reference) || (await content.stat(descriptor.digest))) yield* content.read(descriptor.digest, options);
      else {
        const from = parseReference(reference);
        yield* registries.at(from.registry).fetch(from, descriptor, options);
      }
    },
    distrust(descriptor) {
      if (isDigest(reference)) return false;
      return registries.at(parseReference(reference).registry).distrust?.(descriptor) ?? false;
    },
  };
}
