import { type Cancellable, RamekinError, type Reference } from "@ramekin/core";
import { readAll } from "./http.ts";
import { nextPage } from "./next-page.ts";
import type { Session } from "./session.ts";

const maxPage = 4 << 20;

/** Distribution spec, "Listing Tags": page after page, as the Link header says. */
export async function* listTags(session: Session, reference: Reference, { signal }: Cancellable): AsyncIterable<string> {
  const what = `the tags of ${reference.registry}/${reference.repository}`;
  const seen = new Set<string>();
  let path: string | URL | undefined = "tags/list?n=1000";
  while (path !== undefined) {
    const response = await session.call(reference, { method: "GET", path, action: "pull", expect: [200], what, signal });
    yield* tagsIn(await readAll(response.body, maxPage, what), what);
    path = nextPage(response.headers.get("link"), response.url);
    if (path && seen.has(path.href)) throw new RamekinError("UNAVAILABLE", `${what}: the registry leads in a circle`);
    if (path) seen.add(path.href);
  }
}

function tagsIn(bytes: Uint8Array, what: string): readonly string[] {
  let tags: unknown;
  try {
    tags = (JSON.parse(new TextDecoder().decode(bytes)) as { tags?: unknown }).tags ?? [];
  } catch (cause) {
    throw new RamekinError("DATA_LOSS", `${what}: the registry's answer is not JSON`, { cause });
  }
  if (Array.isArray(tags) && tags.every((tag) => typeof tag === "string" && /^\w[\w.-]{0,127}$/.test(tag))) return tags;
  throw new RamekinError("DATA_LOSS", `${what}: the registry's answer is not a list of tags`);
}
