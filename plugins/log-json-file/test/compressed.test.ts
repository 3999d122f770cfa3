import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateRawSync, gzipSync } from "node:zlib";
import { isRamekinError, type LogDriver, type LogReadOptions } from "@ramekin/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { jsonFileLog, localLog } from "../src/index.ts";

const id = "c0ffee";
const start = Date.parse("2026-01-02T03:04:05Z");
const at = (second: number) => new Date(start + second * 1000);

let root = "";
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "ramekin-log-"));
  await mkdir(join(root, id));
});
afterEach(() => rm(root, { recursive: true, force: true }));

interface Kind {
  readonly log: () => LogDriver;
  readonly path: () => string;
  record(second: number): Buffer;
}

const kinds: Readonly<Record<string, Kind>> = {
  "json-file": {
    log: () => jsonFileLog({ root }),
    path: () => join(root, id, `${id}-json.log`),
    record: (n) => Buffer.from(`${JSON.stringify({ log: `line ${n}\n`, stream: "stdout", time: at(n).toISOString() })}\n`),
  },
  local: {
    log: () => localLog({ root }),
    path: () => join(root, id, `${id}-local.log`),
    record(n) {
      const line = Buffer.from(`line ${n}`);
      const header = Buffer.alloc(14);
      header.writeUInt32BE(line.length + 10);
      header.writeBigInt64BE(BigInt(at(n).getTime()) * 1_000_000n, 4);
      header[12] = 1;
      return Buffer.concat([header, line]);
    },
  },
};

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index);

async function seconds(log: LogDriver, options: LogReadOptions = {}): Promise<readonly number[]> {
  const found: number[] = [];
  for await (const { line, time } of log.read?.(id, options) ?? []) {
    const n = Number(Buffer.from(line).toString().split(" ")[1]);
    if (time.getTime() !== at(n).getTime()) throw new Error(`line ${n} has the time ${time.toISOString()}`);
    found.push(n);
  }
  return found;
}

/** As the supervisor compresses it: only the header matters here. */
async function compress(path: string, extra: object | undefined, bytes: Buffer): Promise<void> {
  const packed = gzipSync(bytes);
  if (extra === undefined) return await writeFile(`${path}.gz`, packed);
  const text = Buffer.from(JSON.stringify(extra));
  const header = Buffer.from([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255, text.length & 255, text.length >> 8]);
  await writeFile(`${path}.gz`, Buffer.concat([header, text, deflateRawSync(bytes), packed.subarray(-8)]));
}

describe.each(Object.entries(kinds))("%s", (_, { log, path, record }) => {
  const records = (from: number, to: number) => Buffer.concat(range(from, to).map(record));

  beforeEach(async () => {
    // 0 to 9,999, long enough for several reads; Docker's own .3.gz says nothing of its origin
    await compress(`${path()}.3`, undefined, records(0, 9000));
    await compress(`${path()}.2`, { lastTime: at(9499).toISOString(), inode: "7", born: "8" }, records(9000, 9500));
    await writeFile(`${path()}.1`, records(9500, 9800));
    await writeFile(path(), records(9800, 10_000));
  });

  test("[OBS-1] compressed files read as if they were not, from their beginning, their end and any time in them", async () => {
    expect(await seconds(log())).toEqual(range(0, 10_000));
    for (const tail of [0, 1, 200, 501, 1000, 1001, 9999, 10_001])
      expect(await seconds(log(), { tail }), `the last ${tail}`).toEqual(range(Math.max(0, 10_000 - tail), 10_000));
    for (const [from, to] of [
      [0, 3],
      [8990, 9010],
      [9498, 9502],
      [9499, 9499],
      [9500, 9900],
    ] as const)
      expect(await seconds(log(), { since: at(from), until: at(to) })).toEqual(range(from, to + 1));
    expect(await seconds(log(), { tail: 600, since: at(9450), until: at(9510) })).toEqual(range(9450, 9511));
  });

  test("[OBS-1] a file that ended before is not unpacked at all", async () => {
    await writeFile(`${path()}.2.gz`, Buffer.concat([await headerOf(`${path()}.2.gz`), Buffer.from("no deflate stream")]));
    expect(await seconds(log(), { since: at(9500) })).toEqual(range(9500, 10_000));
    await expect(seconds(log(), { since: at(9499) })).rejects.toThrow(
      expect.toSatisfy((error) => isRamekinError(error, "DATA_LOSS") && error.message.includes("2.gz")),
    );
  });

  test("[OBS-1] who follows sees no record twice when the file that he has read is compressed behind his back", async () => {
    const ended = Promise.withResolvers<void>();
    const seen = seconds(log(), { follow: true, tail: 3, ended: ended.promise });
    await new Promise((done) => setTimeout(done, 120));
    const { ino, birthtimeNs } = await stat(path(), { bigint: true });
    for (const [from, to] of [
      ["3.gz", "4.gz"],
      ["2.gz", "3.gz"],
      ["1", "2"],
    ])
      await rename(`${path()}.${from}`, `${path()}.${to}`);
    await rename(path(), `${path()}.1`);
    await writeFile(path(), records(10_000, 10_002));
    const origin = { lastTime: at(9999).toISOString(), inode: String(ino), born: String(birthtimeNs) };
    await compress(`${path()}.1`, origin, records(9800, 10_000));
    await rm(`${path()}.1`);
    await new Promise((done) => setTimeout(done, 120));
    ended.resolve();
    expect(await seen).toEqual(range(9997, 10_002));
  });

  test("[OBS-1] while both are there it counts once, and a number that is missing hides nothing", async () => {
    const { ino, birthtimeNs } = await stat(`${path()}.1`, { bigint: true });
    await compress(`${path()}.1`, { inode: String(ino), born: String(birthtimeNs) }, records(9500, 9800));
    expect(await seconds(log())).toEqual(range(0, 10_000));
    await rm(`${path()}.2.gz`);
    expect(await seconds(log())).toEqual([...range(0, 9000), ...range(9500, 10_000)]);
  });

  test("removal takes the compressed files too, and one that is half made", async () => {
    await writeFile(`${path()}.1.gz.part`, "x");
    await writeFile(`${path()}.old`, "somebody's");
    await log().remove?.(id);
    expect(await readdir(join(root, id))).toEqual([`${path().split("/").at(-1)}.old`]);
  });
});

async function headerOf(path: string): Promise<Buffer> {
  const bytes = await readFile(path);
  return bytes.subarray(0, 12 + bytes.readUInt16LE(10));
}
