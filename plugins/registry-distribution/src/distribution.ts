import { RamekinError, type RegistryClient } from "@ramekin/core";
import { formatReference } from "@ramekin/oci";
import { download } from "./download.ts";
import { isManifestLike, pathOf, resolveManifest } from "./manifest.ts";
import { openSession, type SessionOptions } from "./session.ts";
import { listTags } from "./tags.ts";
import { existsRemotely, uploadBlob, uploadManifest } from "./upload.ts";

export type DistributionOptions = SessionOptions;

/**
 * A client of the OCI distribution spec 1.1 over Node's own fetch. Anonymous, Basic and Bearer; retries what may pass, resumes
 * what was cut; memory stays flat whatever the size of a blob.
 */
export function distributionRegistry(options: DistributionOptions = {}): RegistryClient {
  const session = openSession(options);
  return {
    resolve: (reference, cancellable = {}) => resolveManifest(session, reference, cancellable),
    fetch: (reference, descriptor, where = {}) => download(session, reference, descriptor, where),
    exists: (reference, descriptor, cancellable = {}) => existsRemotely(session, reference, descriptor, cancellable),
    async push(reference, descriptor, source, how = {}) {
      if (await existsRemotely(session, reference, descriptor, how)) return;
      const upload = isManifestLike(descriptor.mediaType) ? uploadManifest : uploadBlob;
      await upload(session, reference, descriptor, source, how);
    },
    async tag(reference, descriptor, { signal } = {}) {
      const { tag } = reference;
      if (tag === undefined) throw new RamekinError("INVALID_ARGUMENT", `no tag in ${formatReference(reference)}`);
      const source = (offset: number) => download(session, reference, descriptor, { offset, signal });
      await uploadManifest(session, reference, descriptor, source, { signal, name: tag });
    },
    tags: (reference, cancellable = {}) => listTags(session, reference, cancellable),
    async delete(reference, descriptor, { signal } = {}) {
      const what = `${descriptor.digest} of ${reference.registry}/${reference.repository}`;
      const response = await session.call(reference, {
        method: "DELETE",
        path: pathOf(descriptor),
        action: "delete",
        expect: [200, 202, 204],
        what,
        signal,
      });
      await response.discard();
    },
  };
}
