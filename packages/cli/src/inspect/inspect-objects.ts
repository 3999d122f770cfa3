import { isRamekinError, RamekinError } from "@ramekin/core";
import type { Engine } from "@ramekin/engine";
import { parsePlatform } from "@ramekin/oci";
import type { Context } from "../context.ts";
import { describeContainer } from "./describe-container.ts";
import { describeImage } from "./describe-image.ts";
import { inspectEach } from "./inspect-each.ts";

export interface InspectFlags {
  readonly format: string | undefined;
  readonly type?: "container" | "image" | undefined;
  readonly platform?: string | undefined;
  readonly size?: boolean;
}

/** `ramekin inspect`: what is found is shown, even if something is not. */
export async function inspectObjects(names: readonly string[], { format, ...flags }: InspectFlags, context: Context): Promise<number> {
  // Docker's words, and its case: without a type it says nothing.
  if (flags.size && flags.type === "image") context.note("WARNING: --size ignored for images");
  const engine = await context.engine();
  return inspectEach(names, format, context, (name) => describe(engine, name, flags));
}

/** A container goes before an image of the same name. */
async function describe(engine: Engine, name: string, { type, platform, size = false }: Omit<InspectFlags, "format">): Promise<object> {
  if (type !== "image") {
    try {
      const container = await engine.container(name);
      const described = describeContainer(await container.inspect());
      if (!size) return described;
      const { written, total } = await container.size();
      return { ...described, SizeRw: written, SizeRootFs: total };
    } catch (error) {
      if (type === "container" || !isRamekinError(error, "NOT_FOUND")) throw error;
    }
  }
  try {
    return describeImage(await engine.image(name, platform === undefined ? {} : { platform: parsePlatform(platform) }));
  } catch (error) {
    if (type === "image" || !isRamekinError(error, "NOT_FOUND")) throw error;
    throw new RamekinError("NOT_FOUND", `no such object: ${name}`, { hint: "ramekin ps -a and ramekin images show what there is" });
  }
}
