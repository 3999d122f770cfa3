import { type Descriptor, type Digest, RamekinError } from "@ramekin/core";
import { digestHex, parseReference } from "@ramekin/oci";
import { canonicalName } from "../resolve.ts";
import type { ManifestList } from "./list.ts";

/** By the reference that it was added by, by a name with its digest, by its digest or the beginning of that. */
export function findMember(list: ManifestList, text: string): Descriptor | undefined {
  const name = canonicalName(text);
  const digest: Digest | undefined = name === undefined ? undefined : (list.sources.get(name) ?? parseReference(text).digest);
  const { manifests } = list.index;
  const exact = manifests.find((member) => member.digest === digest);
  if (exact || !/^(?:sha256:)?[0-9a-f]{6,64}$/.test(text)) return exact;
  const hex = text.replace(/^sha256:/, "");
  const [only, ...more] = manifests.filter((member) => digestHex(member.digest).startsWith(hex));
  return more.length === 0 ? only : undefined;
}

export function noSuchMember(list: string, { index, sources }: ManifestList, text: string): RamekinError {
  const known = [...new Set([...sources.keys(), ...index.manifests.map(({ digest }) => digest)])];
  const named = sources.size > 0 ? [...sources.keys()] : known;
  return new RamekinError("NOT_FOUND", `manifest for image ${text} does not exist in ${list}`, {
    hint: named.length > 0 ? `it has ${named.join(", ")}` : "it has no members",
  });
}
