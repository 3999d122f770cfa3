import type { Config } from "@oclif/core";
import { parse } from "../argv/parse.ts";
import { type Context, createContext, processWorld } from "../context.ts";
import { globalFlags } from "../globals.ts";
import { listenForInterruption } from "../interruption.ts";

/** Registered: oclif loads the commands in its own way, and there may be two copies of this module. */
const key = Symbol.for("ramekin.context");

type WithContext = Config["options"] & { [key]?: Context };

/** Commands are made by oclif, which knows nothing of our context; they find it in the options, which every copy of a configuration has. */
export function setContext(config: Config, context: Context): void {
  (config.options as WithContext)[key] = context;
}

/** Without a dispatcher, as when another program runs our commands by way of oclif: the process itself. */
export function contextOf(config: Config): Context {
  return (
    (config.options as WithContext)[key] ??
    createContext(processWorld, parse([], { flags: globalFlags }).flags, "warn", listenForInterruption())
  );
}
