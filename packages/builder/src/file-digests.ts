import { createHash, hash } from "node:crypto";
import { type BigIntStats, closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import type { BuildSession, Cancellable } from "@ramekin/core";

/**
 * Which content a file has, remembered from build to build, so that a build from the cache reads no file. A file is the same while its
 * size, times, inode and device are: its ctime is nobody's to set.
 *
 * Within one tick of the file system's clock a file can be written to twice and keep its times. So what was changed less than a tick
 * before it was read is not remembered (git's rule for its index, racy-git.txt): the tick is at most 10 ms (HZ=100), and 2 s for file
 * systems that keep whole seconds.
 */
export class FileDigests {
  readonly #session: BuildSession;
  readonly #name: string;
  readonly #before: ReadonlyMap<string, string>;
  readonly #now = new Map<string, string>();
  #learned = false;

  private constructor(session: BuildSession, name: string, before: ReadonlyMap<string, string>) {
    this.#session = session;
    this.#name = name;
    this.#before = before;
  }

  static async of(session: BuildSession, root: string): Promise<FileDigests> {
    const name = `files-${hash("sha256", root)}`;
    const text = await session.readNote(name);
    return new FileDigests(session, name, text === undefined ? new Map() : parse(text));
  }

  /** Of `path`, which was `stat`; `full` is where it can be read. */
  digest(path: string, full: string, stat: BigIntStats, options: Cancellable = {}): string {
    const identity = identityOf(stat);
    const line = this.#now.get(path) ?? this.#before.get(path);
    if (line?.startsWith(identity)) {
      this.#now.set(path, line);
      return line.slice(identity.length);
    }
    options.signal?.throwIfAborted();
    const begun = Date.now();
    const digest = digestOf(full, stat);
    const tick = stat.ctimeNs % 1_000_000_000n === 0n ? 2_100 : 20;
    if (digest.identity === identity && Number(stat.ctimeNs / 1_000_000n) + tick < begun) {
      this.#now.set(path, `${identity}${digest.hex}`);
      this.#learned = true;
    }
    return digest.hex;
  }

  /** Builds of one directory may copy different parts of it: all are kept, until most of them must be of files that are gone. */
  async keep(): Promise<void> {
    if (!this.#learned) return;
    const all = new Map([...this.#before, ...this.#now]);
    const lines = all.size > 100_000 && all.size > 2 * this.#now.size ? this.#now : all;
    await this.#session.writeNote(this.#name, JSON.stringify([1, ...[...lines].flat()]));
  }
}

const identityOf = ({ size, mtimeNs, ctimeNs, ino, dev }: BigIntStats) => `${size} ${mtimeNs} ${ctimeNs} ${ino} ${dev} `;

function parse(text: string): ReadonlyMap<string, string> {
  const known = new Map<string, string>();
  let words: unknown;
  try {
    words = JSON.parse(text);
  } catch {
    return known; // damaged: as good as none
  }
  if (!Array.isArray(words) || words[0] !== 1) return known;
  for (let at = 1; at + 1 < words.length; at += 2) known.set(String(words[at]), String(words[at + 1]));
  return known;
}

/** With what the file was when it was read, by its descriptor. */
function digestOf(full: string, { size }: BigIntStats): { readonly identity: string; readonly hex: string } {
  // Not a promise for each: 50,000 small files take 1 s this way, and 5 s by way of libuv's four threads.
  const fd = openSync(full, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    if (size <= BigInt(buffer.byteLength)) {
      const length = readSync(fd, buffer, 0, buffer.byteLength, 0);
      if (length < buffer.byteLength)
        return { identity: identityOf(fstatSync(fd, { bigint: true })), hex: hash("sha256", buffer.subarray(0, length)) };
    }
    const sum = createHash("sha256");
    for (let at = 0; ; ) {
      const length = readSync(fd, buffer, 0, buffer.byteLength, at);
      if (length === 0) return { identity: identityOf(fstatSync(fd, { bigint: true })), hex: sum.digest("hex") };
      sum.update(buffer.subarray(0, length));
      at += length;
    }
  } finally {
    closeSync(fd);
  }
}

const buffer = Buffer.allocUnsafeSlow(256 << 10);
