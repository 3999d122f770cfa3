import type { Config } from "@oclif/core";
import { parse } from "../argv/parse.ts";
import { type Context, createContext, processWorld } from "../context.ts";
import { globalFlags } from "../globals.ts";
import { listenForInterruption } from "../interruption.ts";

const contexts = new WeakMap<Config, Context>();

/** Commands are made by oclif, which knows nothing of ours; what they run in is found by what they are made with. */
export function setContext(config: Config, context: Context): void {
  contexts.set(config, context);
}

/** Without a dispatcher, as when another program runs our commands by way of oclif: the process itself. */
export function contextOf(config: Config): Context {
  return contexts.get(config) ?? createContext(processWorld, parse([], { flags: globalFlags }).flags, "warn", listenForInterruption());
}
