import { parsePlatform } from "@ramekin/oci";
import type { Context } from "../context.ts";
import { smallNursery } from "../small-nursery.ts";

export interface SquashFlags {
  readonly message: string | undefined;
  readonly onto: string | undefined;
  readonly platform: string | undefined;
}

/** `ramekin image squash`. */
export async function squashImage(
  { message, onto, platform }: SquashFlags,
  image: string,
  target: string | undefined,
  context: Context,
): Promise<number> {
  smallNursery();
  const engine = await context.engine();
  const { id } = await engine.squashImage(image, {
    signal: context.interruption.signal,
    ...(target !== undefined && { name: target }),
    ...(onto !== undefined && { onto }),
    ...(message !== undefined && { message }),
    ...(platform !== undefined && { platform: parsePlatform(platform) }),
  });
  context.print(id);
  return 0;
}
