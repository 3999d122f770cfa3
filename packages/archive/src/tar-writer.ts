import { randomUUID } from "node:crypto";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type ByteStream, RamekinError } from "@ramekin/core";
import { append } from "./spool.ts";
import { tarEnd, tarHeader, tarPadding } from "./tar-header.ts";

/** Writes a tar entry by entry; the same entries make the same bytes. At a path, nothing shows before `finish`. */
export interface TarWriter extends AsyncDisposable {
  /** DATA_LOSS when `source` has another size; the archive cannot be finished then. */
  file(name: string, size: number, source: ByteStream | Uint8Array): Promise<void>;
  directory(name: string): Promise<void>;
  finish(): Promise<void>;
}

export async function tarWriter(location: string | WritableStream<Uint8Array>): Promise<TarWriter> {
  const sink = typeof location === "string" ? await fileSink(location) : streamSink(location);
  let state: "open" | "broken" | "finished" = "open";

  const write = async (step: () => Promise<void>) => {
    if (state !== "open") throw new RamekinError("FAILED_PRECONDITION", `the archive is ${state}`);
    state = "broken";
    await step();
    state = "open";
  };
  return {
    file: (name, size, source) =>
      write(async () => {
        await sink.write(tarHeader({ name, type: "0", size }));
        let written = 0;
        for await (const chunk of source instanceof Uint8Array ? [source] : source) {
          written += chunk.byteLength;
          if (written > size) throw new RamekinError("DATA_LOSS", `${name} has more than the ${size} bytes that it should`);
          if (chunk.byteLength > 0) await sink.write(chunk);
        }
        if (written < size) throw new RamekinError("DATA_LOSS", `${name} ends after ${written} of ${size} bytes`);
        await sink.write(tarPadding(size));
      }),
    directory: (name) => write(() => sink.write(tarHeader({ name: `${name}/`, type: "5", mode: 0o755 }))),
    finish: () =>
      write(async () => {
        await sink.write(tarEnd);
        await sink.finish();
      }).then(() => {
        state = "finished";
      }),
    [Symbol.asyncDispose]: async () => {
      if (state !== "finished") await sink.drop();
      state = "finished";
    },
  };
}

export interface Sink {
  write(chunk: Uint8Array): Promise<void>;
  finish(): Promise<void>;
  drop(): Promise<void>;
}

/** Written beside its place, moved there when it is whole. */
export async function fileSink(path: string): Promise<Sink> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomUUID()}`);
  const file: FileHandle = await open(temporary, "wx", 0o644).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") throw new RamekinError("NOT_FOUND", `${dirname(path)} does not exist`, { cause: error });
    if (error.code === "EACCES" || error.code === "EROFS")
      throw new RamekinError("PERMISSION_DENIED", `${path} may not be written`, { cause: error });
    throw error;
  });
  let position = 0;
  return {
    write: async (chunk) => {
      position += await append(file, chunk, position);
    },
    finish: async () => {
      await file.sync();
      await file.close();
      await rename(temporary, path);
    },
    drop: async () => {
      await file.close();
      await rm(temporary, { force: true });
    },
  };
}

export function streamSink(stream: WritableStream<Uint8Array>): Sink {
  const writer = stream.getWriter();
  return {
    write: async (chunk) => {
      await writer.ready;
      await writer.write(chunk);
    },
    finish: () => writer.close(),
    drop: () => writer.abort(new RamekinError("CANCELLED", "the archive was not finished")),
  };
}
