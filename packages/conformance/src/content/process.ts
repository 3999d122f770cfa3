import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { type ContentStore, type Digest, isRamekinError } from "@ramekin/core";

/** What the other process is to do: write all chunks to a ref, then commit, unless `hold`: then keep the writer open. */
export interface Ingestion {
  readonly ref: string;
  readonly text: readonly string[];
  readonly expected?: { readonly digest: Digest; readonly size: number };
  readonly hold?: boolean;
  /** Kill itself before its nth change of a file. */
  readonly dieBefore?: number;
}

/** The body of the program that `Facilities.program` names: one ingestion per process. */
export function serveContent(store: ContentStore): void {
  process.on("message", async (task: Ingestion) => {
    try {
      if (task.dieBefore !== undefined) await dieBefore(task.dieBefore);
      const writer = await store.open(task.ref, task.expected ? { expected: task.expected } : {});
      for (const text of task.text) await writer.write(Buffer.from(text));
      if (!task.hold) await writer.commit();
      process.send?.("done");
    } catch (error) {
      process.send?.(isRamekinError(error) ? error.code : String(error));
    }
  });
  // A writer that is held keeps nothing of Node alive.
  const keep = setInterval(() => {}, 1 << 30);
  process.on("disconnect", () => {
    clearInterval(keep);
    process.exit();
  });
}

const changes = "appendFile chmod copyFile cp link mkdir mkdtemp open rename rm rmdir symlink truncate unlink utimes writeFile".split(" ");
const fileChanges = ["write", "writev", "writeFile", "appendFile", "truncate", "chmod", "sync", "datasync"];

/** Imported names follow, also those of modules that are loaded already: builtin exports are live bindings. */
async function dieBefore(step: number): Promise<void> {
  let left = step;
  const hook = (object: object, names: readonly string[]) => {
    for (const name of names) {
      const original: unknown = Reflect.get(object, name);
      if (typeof original !== "function") continue;
      Reflect.set(object, name, function (this: unknown, ...args: unknown[]) {
        if (--left === 0) process.kill(process.pid, "SIGKILL");
        return Reflect.apply(original, this, args);
      });
    }
  };
  const handle = await fs.promises.open("/dev/null");
  hook(Object.getPrototypeOf(handle) as object, fileChanges);
  await handle.close();
  hook(fs, [...changes, ...changes.map((name) => `${name}Sync`), "write", "writeSync", "fsync", "fsyncSync", "ftruncateSync"]);
  hook(fs.promises, changes);
  syncBuiltinESMExports();
}

export interface Elsewhere extends AsyncDisposable {
  /** `done`, an error code, or `killed`. */
  readonly outcome: Promise<string>;
  kill(): Promise<void>;
}

export function elsewhere([command, ...args]: readonly [string, ...string[]], task: Ingestion): Elsewhere {
  const child = spawn(command, args, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const closed = once(child, "close").then(([code, signal]: unknown[]) =>
    signal === "SIGKILL" ? "killed" : `ended with ${code ?? signal}`,
  );
  const answered = new Promise<string>((resolve) => child.once("message", (message) => resolve(String(message))));
  child.send(task);
  const kill = async () => {
    child.kill("SIGKILL");
    await closed;
  };
  return { outcome: Promise.race([answered, closed]), kill, [Symbol.asyncDispose]: kill };
}
