import { join } from "node:path";
import { checkArguments, parse } from "./argv/parse.ts";
import { readValue } from "./argv/read-value.ts";
import { isUsageError, UsageError } from "./argv/status-error.ts";
import { cacheDirectory } from "./cache-directory.ts";
import { type Context, createContext, processWorld, type World } from "./context.ts";
import { exitStatus, statusOfError, statusOfSignal } from "./exit-status.ts";
import { globalFlags, type LogLevel } from "./globals.ts";
import { listenForInterruption } from "./interruption.ts";
import { reportLines } from "./report.ts";
import type { Verb } from "./verb.ts";
import { findVerb } from "./verbs/index.ts";

/** Runs one command line; resolves with the exit status. Never throws, and prints every error itself. */
export async function dispatch(argv: readonly string[], world: World = processWorld): Promise<number> {
  let logLevel: LogLevel = "warn";
  const report = (error: unknown, verb?: Verb) => {
    for (const line of reportLines(error, logLevel)) world.stderr.write(`${line}\n`);
    return statusOfError(error, verb);
  };

  const interruption = listenForInterruption();
  try {
    const { flags: globals, arguments: words, help } = parse(argv, { flags: globalFlags, stopAtArgument: true });
    logLevel = levelFrom(globals["log-level"], world.environment);
    await using context = createContext(world, globals, logLevel, interruption);
    if (globals.version) {
      const { version } = await import("./version.ts");
      context.print(`ramekin version ${version()}`);
      return exitStatus.ok;
    }

    const found = help ? undefined : findVerb(words);
    const verb = await found?.entry.load();
    if (found === undefined || verb === undefined || !verb.hot) {
      await cacheModules(world.environment);
      const { runWithOclif } = await import("./oclif/run.ts");
      return await runWithOclif(help ? ["--help"] : words, context);
    }
    try {
      return await runVerb(verb, words.slice(found.length), context);
    } catch (error) {
      if (interruption.received !== undefined) return statusOfSignal(interruption.received);
      return report(error, verb);
    }
  } catch (error) {
    return report(error);
  } finally {
    interruption.release();
  }
}

/** oclif is a hundred modules: Node's own cache of compiled code saves a third of their time. */
async function cacheModules(environment: World["environment"]): Promise<void> {
  const directory = cacheDirectory(environment);
  if (directory === undefined) return;
  const { enableCompileCache } = await import("node:module");
  enableCompileCache(join(directory, "modules"));
}

/** Reads what follows the verb, and does it. */
export async function runVerb(verb: Verb, argv: readonly string[], context: Context): Promise<number> {
  const input = await withVerb(verb, () => parse(argv, verb));
  if (input.help) {
    const { verbHelp } = await import("./help/verb-help.ts");
    context.stdout.write(verbHelp(verb, context.stdout.columns));
    return exitStatus.ok;
  }
  checkArguments(verb, input.arguments.length, input.flags);
  return await withVerb(verb, () => verb.run(input, context));
}

/** A usage error from deep inside learns whose usage it is about. */
async function withVerb<R>(verb: Verb, action: () => R | Promise<R>): Promise<R> {
  try {
    return await action();
  } catch (error) {
    if (!isUsageError(error) || error.verb !== undefined) throw error;
    throw new UsageError(error.message, { verb, status: error.status, hint: error.hint });
  }
}

function levelFrom(flag: string | undefined, environment: World["environment"]): LogLevel {
  if (flag !== undefined) return flag as LogLevel;
  const variable = environment["RAMEKIN_LOG_LEVEL"];
  if (variable === undefined || variable === "") return "warn";
  const result = readValue(globalFlags["log-level"], variable);
  if ("reason" in result) throw new UsageError(`invalid RAMEKIN_LOG_LEVEL "${variable}": ${result.reason}`);
  return variable as LogLevel;
}
