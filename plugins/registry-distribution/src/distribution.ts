import { RamekinError, type RegistryClient } from "@ramekin/core";
import { formatReference, maxManifestSize } from "@ramekin/oci";
import { credentialStore } from "./credentials/store.ts";
import { download } from "./download.ts";
import { readAll } from "./http.ts";
import { login } from "./login.ts";
import { isManifestLike, pathOf, resolveManifest } from "./manifest.ts";
import { enterReferrer, listReferrers, removeReferrer } from "./referrers.ts";
import { openSession, type SessionOptions } from "./session.ts";
import { listTags } from "./tags.ts";
import { describe, existsRemotely, uploadBlob, uploadManifest } from "./upload.ts";

export type DistributionOptions = SessionOptions;

/**
 * A client of the OCI distribution spec 1.1 over Node's own http. Anonymous, Basic and Bearer; mirrors, proxies, certificates as
 * the machine's configuration says; retries what may pass, resumes what was cut; memory stays flat whatever the size of a blob.
 */
export function distributionRegistry(options: DistributionOptions = {}): RegistryClient & Disposable {
  const session = openSession(options);
  const environment = options.environment ?? process.env;
  return {
    resolve: (reference, cancellable = {}) => resolveManifest(session, reference, cancellable),
    fetch: (reference, descriptor, where = {}) => download(session, reference, descriptor, where),
    distrust: ({ digest }) => session.parts.provenance.distrust(digest),
    exists: (reference, descriptor, cancellable = {}) => existsRemotely(session, reference, descriptor, cancellable),
    async push(reference, descriptor, source, how = {}) {
      if (await existsRemotely(session, reference, descriptor, how)) return;
      if (!isManifestLike(descriptor.mediaType)) return uploadBlob(session, reference, descriptor, source, how);
      const { bytes, subject } = await uploadManifest(session, reference, descriptor, source, how);
      if (subject === undefined) await enterReferrer(session, reference, descriptor, bytes, how);
    },
    async tag(reference, descriptor, { signal } = {}) {
      const { tag } = reference;
      if (tag === undefined) throw new RamekinError("INVALID_ARGUMENT", `no tag in ${formatReference(reference)}`);
      const source = (offset: number) => download(session, reference, descriptor, { offset, signal, mirrored: false });
      await uploadManifest(session, reference, descriptor, source, { signal, name: tag });
    },
    with: (registry, access) => distributionRegistry({ ...options, access: { ...access, registry } }),
    tags: (reference, cancellable = {}) => listTags(session, reference, cancellable),
    referrers: (reference, descriptor, wanted = {}) => listReferrers(session, reference, descriptor, wanted),
    async delete(reference, descriptor, { signal } = {}) {
      const what = describe(reference, descriptor.digest);
      const bytes = isManifestLike(descriptor.mediaType)
        ? await readAll(download(session, reference, descriptor, { signal, mirrored: false }), maxManifestSize, what)
        : undefined;
      const response = await session.call(reference, {
        method: "DELETE",
        path: pathOf(descriptor),
        action: "delete",
        expect: [200, 202, 204],
        what,
        signal,
      });
      await response.discard();
      if (bytes) await removeReferrer(session, reference, descriptor, bytes, { signal });
    },
    login: (registry, how = {}) => login(session, registry, how, environment),
    async logout(registry, { authFile } = {}) {
      const store = credentialStore(environment, authFile);
      return registry === undefined ? store.eraseAll() : store.erase(registry);
    },
    account: async (registry, { authFile } = {}) => (await credentialStore(environment, authFile).find(registry))?.username,
    [Symbol.dispose]: () => session[Symbol.dispose](),
  };
}
