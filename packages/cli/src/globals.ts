import type { FlagValues } from "./verb.ts";

/** The flags before the verb. Each can stand in the environment as well. */
export const globalFlags = {
  isolation: { type: "string", value: "name", summary: "What isolates containers (environment: RAMEKIN_ISOLATION)" },
  "log-level": {
    type: "string",
    short: "l",
    choices: ["debug", "info", "warn", "error"],
    summary: 'How much to tell on stderr: "debug", "info", "warn" or "error" (environment: RAMEKIN_LOG_LEVEL)',
  },
  root: { type: "string", value: "path", summary: "Where images and containers are kept (environment: RAMEKIN_ROOT)" },
  runroot: { type: "string", value: "path", summary: "Where state that a reboot takes away is kept (environment: RAMEKIN_RUNROOT)" },
  "storage-driver": { type: "string", value: "name", summary: "What root file systems are made with (environment: RAMEKIN_STORAGE)" },
  version: { type: "boolean", short: "v", summary: "Print the version and quit" },
} as const;

export type Globals = FlagValues<typeof globalFlags>;
export type LogLevel = (typeof globalFlags)["log-level"]["choices"][number];
