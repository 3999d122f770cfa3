import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { Script } from "node:vm";
import { cacheDirectory } from "./cache-directory.ts";

/**
 * `require` of a CommonJS bundle, with the bytecode of all functions that an earlier process has run under the same `use`.
 * Node's own compile cache has only what is compiled before the first call, which leaves a `run` 27 ms of compiling (measured).
 * Without a cache, or with one that is damaged, nothing is lost but that time.
 */
export function loadCached(path: string, use: string): unknown {
  const source = readFileSync(path, "utf8");
  const cache = cacheFile(path, use);
  const cachedData = cache && read(cache);
  const script = new Script(`(function (exports, require, module, __filename, __dirname) {${source}\n})`, {
    filename: path,
    ...(cachedData && { cachedData }),
  });
  const module = { exports: {} };
  script.runInThisContext()(module.exports, createRequire(path), module, path, dirname(path));
  if (cache && (cachedData === undefined || script.cachedDataRejected)) {
    // at the end, when all that the use needs has been compiled; only after success, so that no typing error gets a file
    process.on("exit", (status) => status === 0 && write(cache, script.createCachedData()));
  }
  return module.exports;
}

interface CacheFile {
  readonly directory: string;
  /** Of all builds. */
  readonly name: string;
  readonly build: string;
}

/** V8 itself refuses what another version of it, or one with other flags, has made. */
function cacheFile(path: string, use: string): CacheFile | undefined {
  const directory = cacheDirectory();
  if (directory === undefined) return undefined;
  const { size, mtimeMs } = statSync(path);
  return { directory, name: `${use}-${process.version}-${process.arch}`, build: `${size}-${mtimeMs}` };
}

/** Bytecode is not checked when it runs: we take nothing that others could have written. */
function read({ directory, name, build }: CacheFile): Buffer | undefined {
  let file: number | undefined;
  try {
    file = openSync(join(directory, `${name}.${build}`), constants.O_RDONLY | constants.O_NOFOLLOW);
    const { uid, mode } = fstatSync(file);
    return uid === process.geteuid?.() && (mode & 0o022) === 0 ? readFileSync(file) : undefined;
  } catch {
    return undefined;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

function write({ directory, name, build }: CacheFile, data: Buffer): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    for (const old of readdirSync(directory)) if (old.startsWith(`${name}.`)) rmSync(join(directory, old), { force: true });
    const temporary = join(directory, `${name}.${process.pid}.tmp`);
    const file = openSync(temporary, "wx", 0o600);
    try {
      writeFileSync(file, data);
      fsyncSync(file); // a power cut must not leave a file with a name and without its bytes: V8 takes them as they are
    } finally {
      closeSync(file);
    }
    renameSync(temporary, join(directory, `${name}.${build}`));
  } catch {
    // a full or read-only disk: the next start is as slow as this one
  }
}
