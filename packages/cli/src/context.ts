import type { EngineOptions } from "@ramekin/engine";
import type { Ramekin } from "ramekin";
import type { Globals, LogLevel } from "./globals.ts";
import type { Interruption } from "./interruption.ts";

/** What a verb may touch of the world: all of it is here, so that a test can hand it another one. */
export interface Context extends AsyncDisposable {
  readonly stdin: InputStream;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly logLevel: LogLevel;
  readonly interruption: Interruption;
  /** Opened at the first call: a verb that needs no engine pays for none. */
  engine(): Promise<Ramekin>;
  /** A line on stdout. */
  print(line: string): void;
  /** A line on stderr. */
  note(line: string): void;
}

export type InputStream = NodeJS.ReadableStream & {
  readonly fd?: number;
  readonly isTTY?: boolean;
  readonly isRaw?: boolean;
  setRawMode?(raw: boolean): unknown;
};

export type OutputStream = NodeJS.WritableStream & {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
};

export interface World {
  readonly stdin: InputStream;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly environment: Readonly<Record<string, string | undefined>>;
  openEngine(options: EngineOptions): Promise<Ramekin>;
}

/** The real one. The engine, and with it every driver, is loaded when it is asked for. */
export const processWorld: World = {
  // getters: a stream of the process is made when it is first touched, and stdin is often not
  get stdin() {
    return process.stdin;
  },
  get stdout() {
    return process.stdout;
  },
  get stderr() {
    return process.stderr;
  },
  environment: process.env,
  async openEngine(options) {
    const { createRamekin } = await import("ramekin");
    return createRamekin(options);
  },
};

export function createContext(world: World, globals: Globals, logLevel: LogLevel, interruption: Interruption): Context {
  let engine: Promise<Ramekin> | undefined;
  const note = (line: string) => void world.stderr.write(`${line}\n`);
  return {
    get stdin() {
      return world.stdin;
    },
    get stdout() {
      return world.stdout;
    },
    get stderr() {
      return world.stderr;
    },
    environment: world.environment,
    logLevel,
    interruption,
    engine() {
      engine ??= world.openEngine({
        ...(globals.root !== undefined && { root: globals.root }),
        ...(globals.runroot !== undefined && { runRoot: globals.runroot }),
        drivers: {
          ...(globals["storage-driver"] !== undefined && { storage: globals["storage-driver"] }),
          ...(globals.isolation !== undefined && { isolation: globals.isolation }),
        },
        onWarning(message) {
          if (logLevel !== "error") note(`ramekin: warning: ${message}`);
        },
      });
      return engine;
    },
    print: (line) => void world.stdout.write(`${line}\n`),
    note,
    async [Symbol.asyncDispose]() {
      // an engine that could not be opened was reported where it was asked for
      const opened = await engine?.catch(() => undefined);
      await opened?.[Symbol.asyncDispose]();
    },
  };
}
