import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { checkedTar } from "../src/index.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "ramekin-tar-check-"));
  writeFileSync(join(folder, "short"), "text");
  writeFileSync(join(folder, "long".repeat(40)), "x".repeat(1500));
  execFileSync("truncate", ["-s", "1M", join(folder, "holes")]);
  execFileSync(
    "sh",
    [
      "-c",
      "for i in 1 3 5 7 9 11 13 15 17 19 21 23 25 27; do printf x | dd of=holes bs=1 seek=$((i*40000)) conv=notrunc status=none; done",
    ],
    {
      cwd: folder,
    },
  );
  execFileSync("ln", ["-s", "short", join(folder, "link")]);
  execFileSync("ln", [join(folder, "short"), join(folder, "hard")]);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const tar = (...options: string[]) => execFileSync("tar", ["-C", folder, "-cf", "-", ...options, "."], { maxBuffer: 1 << 26 });

/** In pieces that are no multiples of a block. */
async function* pieces(bytes: Buffer, size = 700): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size);
}

async function pass(bytes: Buffer): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of checkedTar(pieces(bytes))) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe.each([
  ["gnu", ["--format=gnu"]],
  ["gnu, sparse", ["--format=gnu", "--sparse"]],
  ["pax", ["--format=pax"]],
  ["pax, sparse", ["--format=pax", "--sparse"]],
  ["ustar", ["--format=ustar", "--exclude=./long*"]],
])("%s", (_, options) => {
  test("passes unchanged", async () => {
    const bytes = tar(...options);
    expect((await pass(bytes)).equals(bytes)).toBe(true);
  });

  test("cut anywhere but between two entries, or in what fills up the block of the last one, it is refused", async () => {
    const bytes = tar(...options);
    const end = bytes.byteLength - 10240;
    for (let at = 1; at < end; at += 997) {
      const cut = bytes.subarray(0, at);
      const passed = await pass(cut).then(
        () => true,
        (error: { code?: string }) => {
          expect(error.code).toBe("DATA_LOSS");
          return false;
        },
      );
      if (passed)
        expect(
          bytes.subarray(at, Math.ceil(at / 512) * 512).every((byte) => byte === 0),
          `a cut at ${at} was not seen`,
        ).toBe(true);
    }
  });
});

test("the last file may lack what fills up its block, and nothing else: as docker import has it", async () => {
  const bytes = tar("--format=ustar", "--exclude=./[!s]*");
  const header = bytes.indexOf("./short\0");
  const whole = header + 512 + "text".length;
  for (const end of [whole, whole + 100]) expect(await pass(bytes.subarray(0, end))).toEqual(bytes.subarray(0, end));
  for (const end of [whole - 1, header + 500]) await expect(pass(bytes.subarray(0, end))).rejects.toMatchObject({ code: "DATA_LOSS" });
});

test("what is no tar is refused, an archive of nothing is one", async () => {
  for (const text of ["", "short", "x".repeat(512), "x".repeat(5000)]) {
    await expect(pass(Buffer.from(text))).rejects.toMatchObject({ code: "DATA_LOSS" });
  }
  expect(await pass(Buffer.alloc(1024))).toEqual(Buffer.alloc(1024));
});

test("a size that only the extended header can say is followed", async () => {
  const bytes = tar("--format=pax", "--pax-option=size:=1500", "--exclude=./[!l]*", "--exclude=./link");
  expect((await pass(bytes)).equals(bytes)).toBe(true);
});
