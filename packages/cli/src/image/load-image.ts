import type { ByteStream } from "@ramekin/core";
import { familiarReference, parsePlatform, parseReference } from "@ramekin/oci";
import { StatusError } from "../argv/status-error.ts";
import type { Context } from "../context.ts";
import { exitStatus } from "../exit-status.ts";
import { watchPull } from "../progress/watch-pull.ts";

export interface LoadFlags {
  readonly input: string | undefined;
  readonly platform: string | undefined;
  readonly quiet: boolean;
}

/** `ramekin load`. What was loaded is said even quietly, as by Docker: `--quiet` is about progress, which only a terminal is shown. */
export async function loadImage(flags: LoadFlags, context: Context): Promise<number> {
  if (flags.input === undefined && context.stdin.isTTY) {
    throw new StatusError(
      "requested load from stdin, but stdin is empty",
      exitStatus.failure,
      "ramekin load -i FILE, or ramekin load < FILE",
    );
  }
  const engine = await context.engine();
  const source = flags.input ?? (context.stdin as unknown as ByteStream);
  using progress = watchPull(context.stderr, { quiet: flags.quiet || !context.stderr.isTTY });
  const loaded = await engine.load(source, {
    signal: context.interruption.signal,
    onProgress: progress.report,
    ...(flags.platform !== undefined && { platform: parsePlatform(flags.platform) }),
  });
  progress[Symbol.dispose]();
  for (const { name, id } of loaded) {
    context.print(name === undefined ? `Loaded image ID: ${id}` : `Loaded image: ${familiarReference(parseReference(name))}`);
  }
  return 0;
}
