import { type Descriptor, isRamekinError, RamekinError } from "@ramekin/core";
import { familiarReference, formatReference, type LayoutIndex, layoutEntries, parseReference, refName } from "@ramekin/oci";

export interface ResolvedImage {
  /** As recorded; absent when it was found by id and has none. */
  readonly name?: string;
  readonly descriptor: Descriptor;
}

/**
 * What people call an image: a name in any spelling, a name with a digest, an id (`sha256:…` or bare digits) or the beginning
 * of one. A name wins over an id. INVALID_ARGUMENT when the beginning fits several.
 */
export function resolveImage(index: LayoutIndex, text: string): ResolvedImage | undefined {
  const entries = layoutEntries(index);
  return byName(entries, text) ?? byId(entries, text);
}

export function mustResolve(index: LayoutIndex, text: string): ResolvedImage {
  const found = resolveImage(index, text);
  if (found) return found;
  throw new RamekinError("NOT_FOUND", `no such image: ${text}`, { hint: `\`ramekin pull ${text}\` fetches it` });
}

/** `docker.io/library/debian:latest` for `debian`; undefined for what can only be an id. */
export function canonicalName(text: string): string | undefined {
  try {
    return formatReference(parseReference(text));
  } catch (error) {
    if (isRamekinError(error, "INVALID_ARGUMENT") && /^(sha256:)?[0-9a-f]{1,64}$/.test(text)) return undefined;
    throw error;
  }
}

/** As people write it: without docker.io and library. */
export function familiarName(name: string): string {
  return familiarReference(parseReference(name));
}

function byName(entries: readonly Descriptor[], text: string): ResolvedImage | undefined {
  const name = canonicalName(text);
  if (name === undefined) return undefined;
  const exact = entries.find((entry) => refName(entry) === name);
  if (exact) return { name, descriptor: exact };
  const { registry, repository, digest } = parseReference(text);
  if (digest === undefined) return undefined;
  // `debian@sha256:…` also names what was pulled as `debian:12`, if it is that.
  const same = entries.find((entry) => {
    const known = refName(entry);
    if (entry.digest !== digest || known === undefined) return false;
    const reference = parseReference(known);
    return reference.registry === registry && reference.repository === repository;
  });
  return same && { name: refName(same) as string, descriptor: same };
}

function byId(entries: readonly Descriptor[], text: string): ResolvedImage | undefined {
  const prefix = text.replace(/^sha256:/, "");
  if (!/^[0-9a-f]{1,64}$/.test(prefix)) return undefined;
  const found = entries.filter(({ digest }) => digest.slice(digest.indexOf(":") + 1).startsWith(prefix));
  const digests = new Set(found.map(({ digest }) => digest));
  if (digests.size > 1)
    throw new RamekinError("INVALID_ARGUMENT", `${text} is the beginning of ${digests.size} image ids`, { hint: [...digests].join(", ") });
  const [first] = found;
  if (!first) return undefined;
  const name = refName(first);
  return { ...(name !== undefined && { name }), descriptor: first };
}
