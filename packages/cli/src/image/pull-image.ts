import { familiarReference, formatReference, parsePlatform, parseReference } from "@ramekin/oci";
import type { Context } from "../context.ts";
import { watchPull } from "../progress/watch-pull.ts";

/** `ramekin pull`. */
export async function pullImage(
  flags: { readonly platform: string | undefined; readonly quiet: boolean },
  name: string,
  context: Context,
): Promise<number> {
  const reference = parseReference(name);
  const familiar = familiarReference(reference);
  const platform = flags.platform === undefined ? undefined : parsePlatform(flags.platform);
  const tell = (line: string) => {
    if (!flags.quiet) context.print(line);
  };

  if (!/[:@]/.test(name.split("/").at(-1) as string)) tell("Using default tag: latest");
  tell(`${reference.tag ?? reference.digest}: Pulling from ${reference.repository}`);
  const engine = await context.engine();
  using progress = watchPull(context.stdout, { quiet: flags.quiet });
  const image = await engine.pull(name, {
    unpack: true,
    signal: context.interruption.signal,
    onProgress: progress.report,
    ...(platform !== undefined && { platform }),
  });
  progress[Symbol.dispose]();
  tell(`Digest: ${image.id}`);
  tell(`Status: ${image.upToDate ? "Image is up to date" : "Downloaded newer image"} for ${familiar}`);
  context.print(formatReference(reference));
  return 0;
}
