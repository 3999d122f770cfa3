import { type Cancellable, RamekinError } from "@ramekin/core";

export interface FetchedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Seconds since 1970, of the server; 0 when it says none. */
  readonly mtime: number;
}

/** A file by http, as ADD has it: under the last name of its path. */
export async function fetchFile(url: string, { signal }: Cancellable): Promise<FetchedFile> {
  const answer = await fetch(url, signal ? { signal } : {}).catch((cause: Error) => {
    throw new RamekinError("UNAVAILABLE", `${url}: ${cause.cause instanceof Error ? cause.cause.message : cause.message}`, { cause });
  });
  if (!answer.ok)
    throw new RamekinError(answer.status === 404 ? "NOT_FOUND" : "UNAVAILABLE", `${url}: the server answers ${answer.status}`);
  const name = new URL(url).pathname.split("/").at(-1);
  if (!name) throw new RamekinError("INVALID_ARGUMENT", `${url} names no file`, { hint: "write the name into the destination" });
  const modified = Date.parse(answer.headers.get("last-modified") ?? "");
  return { name, bytes: new Uint8Array(await answer.arrayBuffer()), mtime: Number.isNaN(modified) ? 0 : Math.floor(modified / 1000) };
}
