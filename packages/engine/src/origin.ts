import { type ByteStream, type Cancellable, type Descriptor, RamekinError, type RegistryAccess } from "@ramekin/core";
import { isManifestType, parseReference } from "@ramekin/oci";
import { openRegistries } from "./registries.ts";
import { attempt, type Scope } from "./scope.ts";

/** Anything that delivers blobs from an offset: a registry with a reference, a transport's source. */
export interface Origin {
  blob(descriptor: Descriptor, options: Cancellable & { readonly offset?: number }): ByteStream;
  /** See `RegistryClient.distrust`. */
  distrust?(descriptor: Descriptor): boolean;
}

/** Where the image of a name comes from. */
export interface ImageOrigin extends Origin, AsyncDisposable {
  readonly embedded: boolean;
  /** What the name stands for there. */
  root(): Promise<Descriptor>;
}

/** Canonical. What comes embedded is taken from there, whatever a registry may say. */
export async function openOrigin(
  scope: Scope,
  name: string,
  { access, signal }: Cancellable & { readonly access?: RegistryAccess | undefined },
): Promise<ImageOrigin> {
  const embedded = scope.embedded[name];
  return embedded === undefined ? fromRegistry(scope, name, access, signal) : fromLayout(scope, embedded, signal);
}

async function fromLayout(scope: Scope, location: string, signal: AbortSignal | undefined): Promise<ImageOrigin> {
  const source = await (await scope.kernel.use("transport", "oci")).source(location, { signal });
  return {
    embedded: true,
    async root() {
      const [root] = await source.roots({ signal });
      if (!root) throw new RamekinError("DATA_LOSS", `the embedded layout ${location} names no image`, { hint: "install ramekin again" });
      return bare(root);
    },
    blob: (descriptor, options) => source.blob(descriptor, options),
    [Symbol.asyncDispose]: () => attempt(scope, "closing the embedded layout", async () => source[Symbol.asyncDispose]()),
  };
}

async function fromRegistry(
  scope: Scope,
  name: string,
  access: RegistryAccess | undefined,
  signal: AbortSignal | undefined,
): Promise<ImageOrigin> {
  const reference = parseReference(name);
  const registries = await openRegistries(scope, access, reference.registry);
  const registry = registries.at(reference.registry);
  return {
    embedded: false,
    async root() {
      const root = await registry.resolve(reference, { signal });
      if (reference.digest === undefined || root.digest === reference.digest) return bare(root);
      throw new RamekinError("DATA_LOSS", `${name} resolved to ${root.digest}`);
    },
    blob: (descriptor, options) => registry.fetch(reference, descriptor, options),
    distrust: (descriptor) => registry.distrust?.(descriptor) ?? false,
    [Symbol.asyncDispose]: async () => registries[Symbol.dispose](),
  };
}

/** Names that the source gave are its own. */
function bare({ annotations: _, ...root }: Descriptor): Descriptor {
  const { platform, ...rest } = root;
  return platform && !isManifestType(root.mediaType) ? rest : root;
}
