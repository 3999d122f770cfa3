import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { Objections } from "@ramekin/core";
import type { BuildOptions } from "ramekin";
import type { Context } from "../context.ts";
import { smallNursery } from "../small-nursery.ts";
import { parseEnvironment, parseLabels } from "../values/key-value.ts";
import { watchBuild } from "./progress/watch-build.ts";
import { metadataOf, type ResultFlags, resultOptions } from "./result.ts";
import { readSecrets } from "./secrets.ts";

export interface BuildFlags extends ResultFlags {
  readonly "build-arg": readonly string[];
  readonly file: string | undefined;
  readonly iidfile: string | undefined;
  readonly label: readonly string[];
  readonly "metadata-file": string | undefined;
  readonly network: string;
  readonly "no-cache": boolean;
  readonly progress: string;
  readonly pull: boolean;
  readonly quiet: boolean;
  readonly secret: readonly string[];
  readonly tag: readonly string[];
  readonly target: string | undefined;
}

/** `ramekin build`. */
export async function buildImage(flags: BuildFlags, path: string, context: Context): Promise<number> {
  const options = await optionsFrom(flags, path, context);
  smallNursery();
  const engine = await context.engine();
  using watch = watchBuild(context, flags.quiet ? "quiet" : flags.progress);
  const result = await engine.build({ ...options, signal: context.interruption.signal, onEvent: (event) => watch.take(event) });
  if (flags.iidfile !== undefined) await writeFile(flags.iidfile, result.digest);
  if (flags["metadata-file"] !== undefined) await writeFile(flags["metadata-file"], metadataOf(result));
  if (flags.quiet || flags.progress === "quiet") context.print(result.digest);
  return 0;
}

async function optionsFrom(flags: BuildFlags, path: string, { environment, stdin, stdout }: Context): Promise<BuildOptions> {
  const objections = new Objections();
  const args = objections.hear(() => parseEnvironment(flags["build-arg"], environment));
  const labels = objections.hear(() => parseLabels(flags.label));
  const result = objections.hear(() => resultOptions(flags, environment, stdout));
  const secrets = await objections.await(readSecrets(flags.secret, environment));
  objections.raise();
  const source = path === "-" || flags.file === "-" ? { text: await textOf(stdin) } : {};
  return {
    ...source,
    ...(path !== "-" && { context: resolve(path) }),
    ...(flags.file !== undefined && flags.file !== "-" && { file: resolve(flags.file) }),
    tags: flags.tag,
    ...result,
    args: { ...result?.args, ...args },
    labels: labels ?? {},
    secrets: secrets ?? {},
    network: flags.network as NonNullable<BuildOptions["network"]>,
    noCache: flags["no-cache"],
    pull: flags.pull ? "always" : "missing",
    ...(flags.target !== undefined && { target: flags.target }),
  };
}

async function textOf(stream: AsyncIterable<unknown>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks).toString("utf8");
}
