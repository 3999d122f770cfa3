import { createReadStream } from "node:fs";
import { type ByteStream, RamekinError } from "@ramekin/core";
import type { Context } from "../context.ts";

/** The bytes of a file, or with `-` those that come in. */
export async function* readSource(source: string, context: Context): ByteStream {
  try {
    for await (const chunk of source === "-" ? context.stdin : createReadStream(source)) yield Buffer.from(chunk);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new RamekinError(code === "ENOENT" ? "NOT_FOUND" : "PERMISSION_DENIED", `cannot read ${source}: ${message}`, { cause: error });
  }
}
