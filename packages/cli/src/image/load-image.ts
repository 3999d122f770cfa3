import type { ByteStream } from "@ramekin/core";
import { familiarReference, parseReference } from "@ramekin/oci";
import { StatusError } from "../argv/status-error.ts";
import type { Context } from "../context.ts";
import { exitStatus } from "../exit-status.ts";

/** `ramekin load`. What was loaded is said even quietly, as by Docker: `--quiet` is about progress, of which there is none. */
export async function loadImage(flags: { readonly input: string | undefined }, context: Context): Promise<number> {
  if (flags.input === undefined && context.stdin.isTTY) {
    throw new StatusError(
      "requested load from stdin, but stdin is empty",
      exitStatus.failure,
      "ramekin load -i FILE, or ramekin load < FILE",
    );
  }
  const engine = await context.engine();
  const source = flags.input ?? (context.stdin as unknown as ByteStream);
  for (const { name, id } of await engine.load(source, { signal: context.interruption.signal })) {
    context.print(name === undefined ? `Loaded image ID: ${id}` : `Loaded image: ${familiarReference(parseReference(name))}`);
  }
  return 0;
}
