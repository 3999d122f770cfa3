import { RamekinError } from "@ramekin/core";
import type { SaveFormat, SaveOptions } from "@ramekin/engine";
import { parsePlatform } from "@ramekin/oci";
import { StatusError } from "../argv/status-error.ts";
import type { Context, OutputStream } from "../context.ts";
import { exitStatus } from "../exit-status.ts";
import { smallNursery } from "../small-nursery.ts";

export interface SaveFlags {
  readonly compress: string | undefined;
  readonly format: string;
  readonly "multi-image-archive": boolean;
  readonly output: string | undefined;
  readonly platform: string | undefined;
}

/** `ramekin save`. */
export async function saveImages(
  { compress, format, "multi-image-archive": multiple, output, platform }: SaveFlags,
  names: readonly string[],
  context: Context,
): Promise<number> {
  if (!multiple) {
    throw new RamekinError("UNSUPPORTED", "--multi-image-archive=false: more names for one image cannot be given while it is saved", {
      hint: "`ramekin tag` gives them before",
    });
  }
  refuseTerminal(output, context.stdout, "save");
  smallNursery();
  const engine = await context.engine();
  await engine.save(names, output ?? streamTo(context.stdout), {
    signal: context.interruption.signal,
    format: format as SaveFormat,
    ...(compress !== undefined && { compress: compress as NonNullable<SaveOptions["compress"]> }),
    ...(platform !== undefined && { platform: parsePlatform(platform) }),
  });
  return 0;
}

/** Docker's words. */
export function refuseTerminal(output: string | undefined, stdout: OutputStream, what: string): void {
  if (output === undefined && stdout.isTTY)
    throw new StatusError(`cowardly refusing to ${what} to a terminal. Use the -o flag or redirect`, exitStatus.failure);
}

/** Waits for a slow reader; the stream itself stays open, since it is the process's. */
export function streamTo(stdout: OutputStream): WritableStream<Uint8Array> {
  return new WritableStream({
    write: (chunk) =>
      new Promise<void>((resolve, reject) => {
        stdout.write(chunk, (error) => (error ? reject(error) : resolve()));
      }),
  });
}
