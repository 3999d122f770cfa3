import { type Descriptor, RamekinError } from "@ramekin/core";
import { parseReference } from "@ramekin/oci";
import type { ReferrersOptions } from "./image-api.ts";
import { openRegistries } from "./registries.ts";
import type { Scope } from "./scope.ts";

/** See `Engine.referrers`. */
export async function referrers(scope: Scope, text: string, options: ReferrersOptions = {}): Promise<readonly Descriptor[]> {
  const { artifactType, signal } = options;
  const reference = parseReference(text);
  using registries = await openRegistries(scope, options.access, reference.registry);
  const registry = registries.at(reference.registry);
  if (!registry.referrers) throw new RamekinError("UNSUPPORTED", `the registry driver lists no referrers of ${text}`);
  const subject = await registry.resolve(reference, { signal });
  const found: Descriptor[] = [];
  for await (const each of registry.referrers(reference, subject, { signal, ...(artifactType !== undefined && { artifactType }) })) {
    found.push(each);
  }
  return found;
}
