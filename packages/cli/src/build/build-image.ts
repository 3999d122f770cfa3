import { writeFile } from "node:fs/promises";
import { Objections } from "@ramekin/core";
import type { BuildOptions } from "ramekin";
import { commandLine } from "../argv/command-line.ts";
import { UsageError } from "../argv/status-error.ts";
import type { Context } from "../context.ts";
import { smallNursery } from "../small-nursery.ts";
import { parseEnvironment, parseLabels } from "../values/key-value.ts";
import type { Verb } from "../verb.ts";
import { openAgents } from "./agents.ts";
import { contextOptions, parseContexts, parseEntitlements } from "./build-contexts.ts";
import { type Call, parseCall } from "./call.ts";
import { explained, shellOnError } from "./failed-step.ts";
import { watchBuild } from "./progress/watch-build.ts";
import { metadataOf, type ResultFlags, resultOptions } from "./result.ts";
import { readSecrets } from "./secrets.ts";

export interface BuildFlags extends ResultFlags {
  readonly allow: readonly string[];
  readonly "build-arg": readonly string[];
  readonly "build-context": readonly string[];
  readonly call: string;
  readonly check: boolean;
  readonly file: string | undefined;
  readonly iidfile: string | undefined;
  readonly label: readonly string[];
  readonly "metadata-file": string | undefined;
  readonly network: string;
  readonly "no-cache": boolean;
  readonly "on-error": string | undefined;
  readonly progress: string;
  readonly pull: boolean;
  readonly quiet: boolean;
  readonly secret: readonly string[];
  readonly ssh: readonly string[];
  readonly tag: readonly string[];
  readonly target: string | undefined;
}

/** `ramekin build`. */
export async function buildImage(verb: Verb, flags: BuildFlags, path: string, context: Context): Promise<number> {
  const call = parseCall(flags);
  if (call) return describe(await optionsFrom(flags, path, context), call, context);
  try {
    return await buildWatched(flags, path, context);
  } catch (error) {
    throw explained(error, context, commandLine(verb, { ...flags, "on-error": "shell" }, [path]));
  }
}

async function buildWatched(flags: BuildFlags, path: string, context: Context): Promise<number> {
  const onError = flags["on-error"];
  if (onError !== undefined && (path === "-" || flags.file === "-"))
    throw new UsageError("--on-error=shell: stdin is the shell's, and nothing else can be read from it", { status: 1 });
  const options = await optionsFrom(flags, path, context);
  smallNursery();
  const engine = await context.engine();
  await using agents = await openAgents(flags.ssh, context.environment);
  using watch = watchBuild(context, flags.quiet ? "quiet" : flags.progress);
  const result = await engine.build({
    ...options,
    agents: agents.sockets,
    signal: context.interruption.signal,
    onEvent: (event) => watch.take(event),
    ...(onError !== undefined && { onStepError: shellOnError(context, watch) }),
  });
  if (flags.iidfile !== undefined) await writeFile(flags.iidfile, result.digest);
  if (flags["metadata-file"] !== undefined) await writeFile(flags["metadata-file"], metadataOf(result));
  if (flags.quiet || flags.progress === "quiet") context.print(result.digest);
  return 0;
}

async function describe(options: BuildOptions, call: Call, context: Context): Promise<number> {
  const engine = await context.engine();
  const { describeBuild } = await import("./describe-build.ts");
  return describeBuild(await engine.describeBuild({ ...options, signal: context.interruption.signal }), call, context);
}

async function optionsFrom(flags: BuildFlags, path: string, { environment, stdin, stdout }: Context): Promise<BuildOptions> {
  const objections = new Objections();
  const args = objections.hear(() => parseEnvironment(flags["build-arg"], environment));
  const labels = objections.hear(() => parseLabels(flags.label));
  const result = objections.hear(() => resultOptions(flags, environment, stdout));
  const secrets = await objections.await(readSecrets(flags.secret, environment));
  const contexts = objections.hear(() => parseContexts(flags["build-context"]));
  const entitlements = objections.hear(() => parseEntitlements(flags.allow));
  objections.raise();
  return {
    ...(await contextOptions(path, flags.file, { stdin })),
    contexts: contexts ?? {},
    entitlements: entitlements ?? [],
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
