import { type Awaitable, type DiffID, type Digest, type DigestAlgorithm, type Digester, RamekinError } from "@ramekin/core";

/** Hexadecimal digits of each algorithm that may name content. */
const hexLength: Readonly<Record<DigestAlgorithm, number>> = { sha256: 64, sha512: 128 };

/** Finds the implementation of an algorithm, as `context.use("digester", { for })` does. */
export type DigesterFor = (algorithm: DigestAlgorithm) => Awaitable<Digester>;

/**
 * Whether `value` is a digest that can name content. Strict, since digests become file names: only known algorithms, only
 * lower-case hexadecimal, only the right length (CVE-2024-3727: an unchecked digest is a path traversal).
 */
export function isDigest(value: unknown): value is Digest {
  return typeof value === "string" && violation(value) === undefined;
}

/** INVALID_ARGUMENT with the reason for what is not a digest, UNSUPPORTED for an algorithm that we do not have. */
export function parseDigest(text: string): Digest {
  const wrong = violation(text);
  if (wrong) throw wrong;
  return text as Digest;
}

export function digestAlgorithm(digest: Digest): DigestAlgorithm {
  return digest.slice(0, digest.indexOf(":")) as DigestAlgorithm;
}

export function digestHex(digest: Digest): string {
  return digest.slice(digest.indexOf(":") + 1);
}

/** Path of a blob inside an OCI image layout: `blobs/sha256/<hex>`. Checks the digest first. */
export function blobPath(digest: Digest): string {
  parseDigest(digest);
  return `blobs/${digestAlgorithm(digest)}/${digestHex(digest)}`;
}

export async function digestOf(bytes: Uint8Array, digester: Digester): Promise<Digest> {
  const hasher = await digester.create();
  hasher.update(bytes);
  return hasher.digest();
}

/** For a digest that is known to be of uncompressed layer bytes. */
export function asDiffID(digest: Digest): DiffID {
  return digest as DiffID;
}

function violation(text: string): RamekinError | undefined {
  const shown = text.length > 160 ? `${text.slice(0, 160)}…` : text;
  const match = /^([a-z0-9]+(?:[+._-][a-z0-9]+)*):([a-zA-Z0-9=_-]+)$/.exec(text);
  if (!match)
    return new RamekinError("INVALID_ARGUMENT", `not a digest: ${shown}`, { hint: "a digest looks like sha256:<64 hexadecimal digits>" });
  const [, algorithm = "", encoded = ""] = match;
  if (!Object.hasOwn(hexLength, algorithm)) {
    return new RamekinError("UNSUPPORTED", `digest ${shown}: no algorithm ${algorithm}`, { hint: "sha256 and sha512 are supported" });
  }
  const length = hexLength[algorithm as DigestAlgorithm];
  if (encoded.length !== length || !/^[0-9a-f]+$/.test(encoded)) {
    return new RamekinError("INVALID_ARGUMENT", `digest ${shown}: not ${length} lower-case hexadecimal digits`);
  }
  return undefined;
}
