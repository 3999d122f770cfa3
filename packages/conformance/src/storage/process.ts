import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { isRamekinError, RamekinError, type StorageDriver } from "@ramekin/core";
import type { Tools } from "../suite.ts";
import { arrayOf } from "./expect.ts";

type Method = "prepare" | "view" | "commit" | "mounts" | "stat" | "list" | "remove" | "clone" | "cleanup";
type Request = { readonly id: number; readonly call: Method | "dieBefore"; readonly args: readonly unknown[] };
type Answer = { readonly id: number; readonly value?: unknown; readonly error?: { readonly code: string; readonly message: string } };

/** A driver in a process of its own. What outlives a call (signals, iterators) does not cross. */
export interface Elsewhere extends AsyncDisposable {
  readonly driver: Pick<StorageDriver, Exclude<Method, "list">>;
  /** The process kills itself before its nth change of a file system from now on. */
  dieBefore(step: number): Promise<void>;
  kill(): void;
  /** Resolves when the process has ended; true if by a signal. */
  readonly killed: Promise<boolean>;
}

/** The body of the program that `Facilities.program` names. */
export function serveStorage(driver: StorageDriver): void {
  process.on("message", async ({ id, call, args }: Request) => {
    process.send?.(await answer(driver, id, call, args));
  });
  process.on("disconnect", () => process.exit());
}

async function answer(driver: StorageDriver, id: number, call: Request["call"], args: readonly unknown[]): Promise<Answer> {
  try {
    if (call === "dieBefore") return { id, value: dieBefore(args[0] as number) };
    if (call === "list") return { id, value: await arrayOf(driver.list()) };
    const method = driver[call];
    if (!method) throw new RamekinError("UNSUPPORTED", `storage: no ${call}`);
    return { id, value: await Reflect.apply(method, driver, args) };
  } catch (error) {
    return { id, error: { code: isRamekinError(error) ? error.code : "INTERNAL", message: String(error) } };
  }
}

const changes =
  "chmod chown copyFile cp link lchown mkdir mkdtemp rename rm rmdir symlink truncate unlink utimes write writeFile writev".split(" ");

/** Imported names follow, also those of modules that are loaded already: `node:fs` exports live bindings. */
function dieBefore(step: number): void {
  let left = step;
  const dying =
    (original: (...args: unknown[]) => unknown) =>
    (...args: unknown[]) => {
      if (--left === 0) process.kill(process.pid, "SIGKILL");
      return original(...args);
    };
  for (const [object, suffix] of [
    [fs, ""],
    [fs, "Sync"],
    [fs.promises, ""],
  ] as const) {
    for (const name of changes) {
      const original = Reflect.get(object, `${name}${suffix}`);
      if (typeof original === "function") Reflect.set(object, `${name}${suffix}`, dying(original));
    }
  }
  syncBuiltinESMExports();
}

export async function elsewhere([command, ...args]: readonly [string, ...string[]]): Promise<Elsewhere> {
  const child = spawn(command, args, { stdio: ["ignore", "inherit", "inherit", "ipc"], serialization: "advanced" });
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: unknown): void }>();
  const killed = once(child, "exit").then(([, signal]) => {
    for (const { reject } of waiting.values())
      reject(new RamekinError("UNAVAILABLE", `the other process has ended, ${signal ?? "by itself"}`));
    return signal !== null;
  });
  child.on("message", ({ id, value, error }: Answer) => {
    const { resolve, reject } = waiting.get(id) ?? {};
    waiting.delete(id);
    if (error) reject?.(new RamekinError(error.code as "INTERNAL", error.message));
    else resolve?.(value);
  });
  let last = 0;
  const call = (name: Request["call"], ...args: readonly unknown[]) =>
    new Promise<never>((resolve, reject) => {
      const id = ++last;
      waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
      // Between its death and the news of it, sending fails with EPIPE.
      child.send({ id, call: name, args } satisfies Request, (error) => {
        if (error) reject(new RamekinError("UNAVAILABLE", `the other process cannot be told: ${error.message}`, { cause: error }));
      });
    });
  const driver: Elsewhere["driver"] = {
    prepare: (...args) => call("prepare", ...args),
    view: (...args) => call("view", ...args),
    commit: (...args) => call("commit", ...args),
    mounts: (key) => call("mounts", key),
    stat: (key) => call("stat", key),
    remove: (key) => call("remove", key),
    clone: (...args) => call("clone", ...args),
    cleanup: () => call("cleanup"),
  };
  await driver.stat("ready?");
  return {
    driver,
    killed,
    dieBefore: (step) => call("dieBefore", step),
    kill: () => void child.kill("SIGKILL"),
    [Symbol.asyncDispose]: () => end(child, killed),
  };
}

async function end(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  if (child.connected) child.disconnect();
  await ended;
}

/** `count` of them for as long as `use` takes. */
export async function together<R>(
  tools: Tools<StorageDriver>,
  count: number,
  use: (others: readonly Elsewhere[]) => Promise<R>,
): Promise<R> {
  const others = await Promise.all(Array.from({ length: count }, () => elsewhere(tools.program())));
  try {
    return await use(others);
  } finally {
    await Promise.all(others.map((other) => other[Symbol.asyncDispose]()));
  }
}
