import type { Descriptor, Digest, Plugin, RegistryClient } from "@ramekin/core";
import { RamekinError } from "@ramekin/core";

export interface RecordingRegistry extends RegistryClient {
  /** What was sent, in order: digests as they were complete, tags as `tag NAME DIGEST`. */
  readonly log: string[];
  /** By repository. */
  readonly blobs: Map<string, Map<Digest, Buffer>>;
  readonly plugin: Plugin;
}

/** Takes what is pushed, as a registry does that refuses documents whose parts it does not have. */
export function recordingRegistry(): RecordingRegistry {
  const blobs = new Map<string, Map<Digest, Buffer>>();
  const log: string[] = [];
  const of = (repository: string) => {
    const found = blobs.get(repository) ?? new Map<Digest, Buffer>();
    blobs.set(repository, found);
    return found;
  };
  const client: RegistryClient = {
    resolve: () => Promise.reject(new RamekinError("NOT_FOUND", "nothing can be pulled here")),
    fetch: () => {
      throw new RamekinError("NOT_FOUND", "nothing can be pulled here");
    },
    exists: async ({ repository }, { digest }) => of(repository).has(digest),
    async push({ repository }, descriptor, source, { mountFrom } = {}) {
      const { digest, mediaType } = descriptor;
      if (of(repository).has(digest)) return;
      const mounted = mountFrom === undefined ? undefined : blobs.get(mountFrom)?.get(digest);
      if (mounted) {
        of(repository).set(digest, mounted);
        return;
      }
      const chunks: Uint8Array[] = [];
      for await (const chunk of source(0)) chunks.push(chunk);
      const bytes = Buffer.concat(chunks);
      if (/manifest|index/.test(mediaType)) {
        for (const part of partsOf(bytes)) {
          if (!of(repository).has(part.digest) && !part.urls)
            throw new RamekinError("INVALID_ARGUMENT", `${digest} came before ${part.digest}`);
        }
      }
      of(repository).set(digest, bytes);
      log.push(digest);
    },
    async tag({ repository, tag }, { digest }) {
      if (!of(repository).has(digest)) throw new RamekinError("NOT_FOUND", `${digest} is not here`);
      log.push(`tag ${repository}:${tag} ${digest}`);
    },
  };
  return Object.assign(client, {
    log,
    blobs,
    plugin: { name: "recording", provides: { registry: { recording: { create: () => client } } } } satisfies Plugin,
  });
}

function partsOf(bytes: Buffer): readonly Descriptor[] {
  const {
    config,
    layers = [],
    manifests = [],
  } = JSON.parse(bytes.toString()) as {
    readonly config?: Descriptor;
    readonly layers?: readonly Descriptor[];
    readonly manifests?: readonly Descriptor[];
  };
  return [...(config ? [config] : []), ...layers, ...manifests];
}
