import type { ByteStream } from "@ramekin/core";
import { parsePlatform } from "@ramekin/oci";
import type { Context } from "../context.ts";
import { smallNursery } from "../small-nursery.ts";

export interface ImportFlags {
  readonly change: readonly string[];
  readonly message: string | undefined;
  readonly platform: string | undefined;
}

/** `ramekin import`. */
export async function importImage(
  { change, message, platform }: ImportFlags,
  source: string,
  name: string | undefined,
  context: Context,
): Promise<number> {
  smallNursery();
  const engine = await context.engine();
  const { id } = await engine.import(source === "-" ? (context.stdin as unknown as ByteStream) : source, {
    signal: context.interruption.signal,
    changes: change,
    ...(name !== undefined && { name }),
    ...(message !== undefined && { message }),
    ...(platform !== undefined && { platform: parsePlatform(platform) }),
  });
  context.print(id);
  return 0;
}
