import { PassThrough } from "node:stream";
import { RamekinError } from "@ramekin/core";
import type { EngineOptions } from "@ramekin/engine";
import type { Ramekin, Work } from "ramekin";
import type { InputStream, OutputStream, World } from "../src/context.ts";
import { dispatch } from "../src/dispatch.ts";

export interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  /** What the engine was opened with, if it was. */
  readonly engineOptions: EngineOptions | undefined;
}

/** What tells of its progress need not: a promise will do. */
type Double<T> = {
  readonly [K in keyof T]?: T[K] extends (...args: infer A) => Work<infer R, unknown> ? (...args: A) => Promise<R> : T[K];
};

export interface RunOptions {
  readonly engine?: Double<Ramekin>;
  readonly stdin?: string;
  readonly inputIsTerminal?: boolean;
  readonly environment?: Readonly<Record<string, string>>;
  readonly onOpen?: (options: EngineOptions) => void;
}

/** One command line against an engine of our own, with everything that it wrote. */
export async function ramekin(
  argv: readonly string[],
  { engine, stdin = "", inputIsTerminal = false, environment = {}, onOpen }: RunOptions = {},
): Promise<Ran> {
  let engineOptions: EngineOptions | undefined;
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const input = new PassThrough();
  input.end(stdin);
  const world: World = {
    stdin: Object.assign(input, { isTTY: inputIsTerminal }) as InputStream,
    stdout: stdout as OutputStream,
    stderr: stderr as OutputStream,
    environment,
    async openEngine(options) {
      engineOptions = options;
      onOpen?.(options);
      if (engine === undefined) throw new RamekinError("UNSUPPORTED", "this test has no engine");
      return { async [Symbol.asyncDispose]() {}, ...engine } as unknown as Ramekin;
    },
  };
  const status = await dispatch(argv, world);
  const text = (stream: PassThrough) => String(stream.read() ?? "");
  return { status, stdout: text(stdout), stderr: text(stderr), engineOptions };
}
