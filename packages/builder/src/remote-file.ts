import { createHash, hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { type ByteStream, RamekinError } from "@ramekin/core";
import { authorizationFor } from "./server-secrets.ts";
import type { Workbench } from "./workbench.ts";

/** A file behind an http address, as it is now. */
export interface RemoteFile {
  /** SHA-256. */
  readonly digest: string;
  /** Seconds since 1970, of the server; 0 when it says none (BuildKit's rule). */
  readonly mtime: number;
  /** Fetched when it has not been yet: a file that the server says is unchanged is not. */
  content(): Promise<{ readonly size: number; readonly bytes: () => ByteStream }>;
}

/** What an address had when it was last fetched, under the server's own mark of that state. */
interface Seen {
  readonly etag: string;
  readonly digest: string;
  readonly mtime: number;
}

interface Download {
  readonly path: string;
  readonly size: number;
  readonly digest: string;
  readonly mtime: number;
  readonly etag: string | null;
}

/** Asks the server whether it has changed; without an ETag there is nothing to ask by, and it is fetched each time. */
export async function openRemote(bench: Workbench, url: string): Promise<RemoteFile> {
  const { session } = bench;
  const note = `url-${hash("sha256", url)}`;
  const seen = seenIn(await session.readNote(note));
  const got = await request(bench, url, seen?.etag);
  if (got === "unchanged" && seen) {
    let again: Promise<Download> | undefined;
    return {
      digest: seen.digest,
      mtime: seen.mtime,
      async content() {
        again ??= request(bench, url, undefined) as Promise<Download>;
        const file = await again;
        if (file.digest !== seen.digest) throw new RamekinError("FAILED_PRECONDITION", `${url} has changed while it was asked for`);
        return contentOf(file);
      },
    };
  }
  const file = got as Download;
  const { digest, mtime, etag } = file;
  if (etag !== null) await session.writeNote(note, JSON.stringify({ etag, digest, mtime } satisfies Seen));
  return { digest, mtime, content: async () => contentOf(file) };
}

const contentOf = ({ path, size }: Download) => ({ size, bytes: () => createReadStream(path, { highWaterMark: 256 << 10 }) as ByteStream });

async function request(bench: Workbench, url: string, etag: string | undefined): Promise<Download | "unchanged"> {
  const { session, signal } = bench;
  const authorization = authorizationFor(bench.secrets, url, "HTTP_AUTH");
  const headers = { ...(etag !== undefined && { "if-none-match": etag }), ...(authorization !== undefined && { authorization }) };
  const answer = await fetch(withoutUser(url), { headers, ...(signal && { signal }) }).catch((cause: Error) => {
    if (signal?.aborted) throw new RamekinError("CANCELLED", `fetching ${url} was cancelled`, { cause });
    throw new RamekinError("UNAVAILABLE", `${url}: ${cause.cause instanceof Error ? cause.cause.message : cause.message}`, { cause });
  });
  if (answer.status === 304 && etag !== undefined) return "unchanged";
  if (!answer.ok || !answer.body) {
    const code = answer.status === 404 ? "NOT_FOUND" : answer.status === 401 || answer.status === 403 ? "PERMISSION_DENIED" : "UNAVAILABLE";
    throw new RamekinError(code, `${url}: the server answers ${answer.status}`);
  }
  const path = join(await session.folder(), "file");
  const sum = createHash("sha256");
  let size = 0;
  await using file = await open(path, "wx", 0o600);
  for await (const chunk of answer.body as ByteStream) {
    sum.update(chunk);
    size += chunk.byteLength;
    await file.writeFile(chunk);
  }
  const modified = Date.parse(answer.headers.get("last-modified") ?? "");
  const mtime = Number.isNaN(modified) ? 0 : Math.floor(modified / 1000);
  return { path, size, digest: sum.digest("hex"), mtime, etag: answer.headers.get("etag") };
}

/** `fetch` refuses an address with a password in it; see `authorizationFor`. */
function withoutUser(text: string): string {
  const url = new URL(text);
  url.username = "";
  url.password = "";
  return url.href;
}

function seenIn(text: string | undefined): Seen | undefined {
  if (text === undefined) return undefined;
  try {
    const seen = JSON.parse(text) as Partial<Seen>;
    return typeof seen.etag === "string" && /^[0-9a-f]{64}$/.test(seen.digest ?? "") ? (seen as Seen) : undefined;
  } catch {
    return undefined; // damaged: as good as none
  }
}
