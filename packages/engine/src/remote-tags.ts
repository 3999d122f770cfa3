import { RamekinError } from "@ramekin/core";
import { formatReference, parseReference } from "@ramekin/oci";
import type { RemoteTagsOptions } from "./image-api.ts";
import { openRegistries } from "./registries.ts";
import type { Scope } from "./scope.ts";

/** See `Engine.remoteTags`. */
export async function remoteTags(scope: Scope, text: string, options: RemoteTagsOptions = {}): Promise<readonly string[]> {
  const { registry, repository } = parseReference(text);
  using registries = await openRegistries(scope, options.access, registry);
  const client = registries.at(registry);
  if (!client.tags) throw new RamekinError("UNSUPPORTED", `the registry driver lists no tags of ${registry}/${repository}`);
  const tags: string[] = [];
  for await (const tag of client.tags({ registry, repository }, options)) tags.push(tag);
  if (tags.length === 0) throw new RamekinError("NOT_FOUND", `${formatReference({ registry, repository })} has no tags`);
  return tags;
}
