import { mkdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import {
  busyboxImage,
  canonical,
  eventually,
  faultProxy,
  type Kitchen,
  kitchen,
  layeredImage,
  missing,
  needs,
  noKitchen,
  readImage,
  seeded,
  succeed,
  useRegistry,
} from "../support/index.ts";

const registry = useRegistry(async () => [await busyboxImage(), await layeredImage(40)]);
needs(noKitchen);
const at = (name: string, host = registry().host) => `${host}/${name}`;

/** No problem of any kind: what a crash leaves is at most garbage. */
async function expectSound({ ramekin }: Pick<Kitchen, "ramekin">, after: string, env: Record<string, string> = {}): Promise<void> {
  const { code, stdout, stderr } = await ramekin(["system", "fsck"], { env });
  expect({ code, stdout, stderr }, after).toMatchObject({ code: 0, stdout: expect.stringMatching(/The store is sound\.\n$/) });
  expect(stderr, after).not.toMatch(/^ramekin:/m);
}

const layers = async () => (await readImage((await busyboxImage()).folder, canonical("busybox"))).layers;
const blobPath = (root: string, digest: string) => join(root, "images/blobs", digest.replace(":", "/"));

// RAMEKIN_SOAK=full: more moments than a run of all tests has time for.
const rounds = process.env["RAMEKIN_SOAK"] === "full" ? 20 : 3;

describe("a kill -9 in the middle of it leaves a sound store, and the next command works", () => {
  const many = async () => (await layeredImage(40)).folder;
  const cases: readonly (readonly [string, (host: string) => Promise<string[]>, before: string[][], after: string[][]])[] = [
    ["pull", async (host) => ["pull", "-q", `${host}/layers-40`], [], [["rmi", "layers-40"]]],
    ["load", async () => ["load", "-q", "-i", await many()], [], [["rmi", "layers-40"]]],
    [
      "create, which pulls and unpacks in one pass",
      async (host) => ["create", "-q", "--name", "unpacked", `${host}/layers-40`],
      [],
      [
        ["rm", "unpacked"],
        ["rmi", "layers-40"],
      ],
    ],
    [
      "create, which unpacks",
      async () => ["create", "--name", "unpacked", "layers-40"],
      [["load"]],
      [
        ["rm", "unpacked"],
        ["rmi", "layers-40"],
      ],
    ],
    ["rmi", async () => ["rmi", "layers-40"], [["load"], ["create", "--name", "unpacked", "layers-40"], ["rm", "unpacked"]], []],
    ["system prune -a", async () => ["system", "prune", "-af"], [["load"], ["create", "--name", "unpacked", "layers-40"]], []],
  ];

  test.each(cases)(
    "[STO-4] %s",
    async (_, command, before, after) => {
      await using proxy = await faultProxy(registry().host, ({ url }) =>
        url.includes("/blobs/") ? { pieces: 50_000, delay: 2 } : undefined,
      );
      await using fresh = await kitchen();
      const random = seeded(0x57a7e);
      const named = (args: string[]) => args.map((arg) => (arg === "layers-40" && pulled ? at("layers-40", proxy.host) : arg));
      const pulled = (await command(proxy.host)).some((arg) => arg.startsWith(proxy.host));
      const prepare = async () => {
        for (const args of before) await fresh.output(args[0] === "load" ? ["load", "-q", "-i", await many()] : args);
      };
      await prepare();
      const begin = Date.now();
      await fresh.output(await command(proxy.host));
      const lasts = Date.now() - begin;
      for (const args of after) await fresh.output(named(args));
      for (let round = 0; round < rounds; round++) {
        await fresh.ramekin(["rm", "-f", "unpacked"]);
        await prepare();
        const running = fresh.start(await command(proxy.host));
        const moment = random() * lasts;
        await sleep(moment);
        running.child.kill("SIGKILL");
        await running.ended;
        await expectSound(fresh, `killed after ${moment} of ${lasts} ms`);
        await fresh.ramekin(["rm", "-f", "unpacked"]);
        const again = await fresh.ramekin(await command(proxy.host));
        // What was to be removed may be gone already.
        if (again.code !== 0) expect(again.stderr, `killed after ${moment} of ${lasts} ms`).toMatch(/no such image/);
        await expectSound(fresh, "done again");
        for (const args of after) await fresh.output(named(args));
      }
      await fresh.output(["system", "prune", "-af"]);
      expect((await fresh.traces()).filter((path) => /blobs\/sha256\/[0-9a-f]|\/l\/.|\/keys\/./.test(path))).toEqual([]);
    },
    rounds * 100_000,
  );
});

test("[STO-5] pulls, removals, prune, df and fsck beside one another", async () => {
  await using fresh = await kitchen({ images: [await busyboxImage()] });
  const end = Date.now() + 8000;
  const done: string[] = [];
  const lane = async (...turns: readonly (readonly [string[], RegExp?])[]) => {
    while (Date.now() < end) {
      for (const [args, allowed] of turns) {
        const { code, stdout, stderr } = await fresh.ramekin(args);
        done.push(args.join(" "));
        if (code !== 0) expect(`${stderr}${stdout}`, args.join(" ")).toMatch(allowed ?? /never/);
        expect(stderr, args.join(" ")).not.toMatch(/INTERNAL|ramekin: warning/);
      }
    }
  };
  const gone = /no such image|is using its referenced image|is running on/;
  // All of them to their end: a kitchen is not left while something cooks.
  const lanes = await Promise.allSettled([
    lane([["pull", "-q", at("layers-40")]], [["rmi", at("layers-40")], gone]),
    lane([["pull", "-q", at("busybox")]], [["run", "--rm", at("busybox"), "true"]], [["rmi", at("busybox")], gone]),
    lane([["run", "--rm", "busybox", "true"]], [["system", "prune", "-f"]]),
    lane([["system", "fsck"]], [["system", "df", "-v"]]),
  ]);
  expect(lanes.flatMap((each) => (each.status === "rejected" ? [each.reason] : []))).toEqual([]);
  expect(done.length).toBeGreaterThan(8);
  await expectSound(fresh, "afterwards");
  expect(await fresh.output(["run", "--rm", "busybox", "echo", "fine"])).toBe("fine");
}, 180_000);

test("[STO-5] two pulls of one image fetch each blob once", async () => {
  await using proxy = await faultProxy(registry().host, ({ url }) => (url.includes("/blobs/") ? { pieces: 100_000, delay: 5 } : undefined));
  await using fresh = await kitchen();
  const pulls = [1, 2].map(() => fresh.ramekin(["pull", "-q", at("layers-40", proxy.host)]));
  expect((await Promise.all(pulls)).map(({ code }) => code)).toEqual([0, 0]);
  const blobs = proxy.seen.filter(({ method, url }) => method === "GET" && url.includes("/blobs/")).map(({ url }) => url);
  expect(new Set(blobs).size).toBe(41);
  expect(blobs).toHaveLength(41);
  await expectSound(fresh, "after two pulls");
});

describe("a disk that is too small", () => {
  const absent = missing("mount", "umount");

  /** A file system of `size` below the kitchen's folder, and an environment with the store in it. */
  async function smallDisk({ folder }: Kitchen, size: string) {
    const path = join(folder, "small");
    await mkdir(path);
    await succeed(["mount", "-t", "tmpfs", "-o", `size=${size},mode=700`, "ramekin-test", path]);
    return {
      env: { RAMEKIN_ROOT: join(path, "root"), RAMEKIN_RUNROOT: join(path, "run") },
      grow: (to: string) => succeed(["mount", "-o", `remount,size=${to}`, path]),
      // The supervisor of a `--rm` tidies up after its answer.
      [Symbol.asyncDispose]: async () => void (await eventually(() => succeed(["umount", path]))),
    };
  }

  test("[STO-4] it fills up in the middle of a pull: a message with a hint, a sound store, and the pull goes on when there is room", async (context) => {
    if (absent) return context.skip(absent);
    await using fresh = await kitchen();
    await using disk = await smallDisk(fresh, "600k");
    const { env } = disk;
    const { code, stderr } = await fresh.ramekin(["pull", at("busybox")], { env });
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/ENOSPC|no space/i) });
    expect(stderr).toMatch(/hint: .*free some space/);
    await expectSound(fresh, "after a pull that did not fit", env);
    expect((await fresh.ramekin(["images"], { env })).code).toBe(0);
    expect((await fresh.ramekin(["system", "prune", "-f"], { env })).code).toBe(0);
    await disk.grow("64m");
    await fresh.output(["pull", "-q", at("busybox")], { env });
    expect(await fresh.output(["run", "--rm", at("busybox"), "echo", "room"], { env })).toBe("room");
  });

  test("[STO-4] it fills up while an image is unpacked: nothing half-made stays, and rmi makes room", async (context) => {
    if (absent) return context.skip(absent);
    await using fresh = await kitchen();
    const compressed = (await layers()).reduce((sum, { size }) => sum + size, 0);
    await using disk = await smallDisk(fresh, `${Math.ceil(compressed / 1024) + 700}k`);
    const { env } = disk;
    await fresh.output(["load", "-q", "-i", (await busyboxImage()).folder], { env });
    const { code, stderr } = await fresh.ramekin(["create", "busybox"], { env });
    expect({ code, stderr }).toEqual({ code: 125, stderr: expect.stringMatching(/ENOSPC|no space/i) });
    await expectSound(fresh, "after an image that did not fit", env);
    expect(await fresh.output(["ps", "-aq"], { env })).toBe("");
    await disk.grow("64m");
    expect(await fresh.output(["run", "--rm", "busybox", "echo", "room"], { env })).toBe("room");
    await eventually(() => fresh.output(["rmi", "busybox"], { env }));
    expect(await fresh.output(["system", "df", "--format", "{{.Size}}"], { env })).toMatch(/^0B\n0B\n0B\n0B$/);
  });

  test("[STO-4] a store that cannot be written can be read and checked, and says why nothing else works", async (context) => {
    if (absent) return context.skip(absent);
    await using fresh = await kitchen({ images: [await busyboxImage()] });
    await fresh.output(["create", "--name", "kept", "busybox"]);
    await succeed(["mount", "--bind", fresh.root, fresh.root]);
    try {
      await succeed(["mount", "-o", "remount,bind,ro", fresh.root]);
      // A warning tells that the driver without a folder here cannot make one.
      expect(await fresh.ramekin(["system", "fsck"])).toMatchObject({ code: 0, stdout: expect.stringContaining("The store is sound.") });
      for (const verb of [["images"], ["ps", "-a"], ["system", "df", "-v"]]) expect((await fresh.ramekin(verb)).code, verb[0]).toBe(0);
      for (const verb of [
        ["pull", at("busybox")],
        ["create", "busybox"],
        ["tag", "busybox", "other"],
      ]) {
        const { code, stderr } = await fresh.ramekin(verb);
        expect(code, verb[0]).not.toBe(0);
        expect(stderr, verb[0]).toMatch(/read-only|EROFS/i);
      }
    } finally {
      await succeed(["umount", fresh.root]);
    }
    await expectSound(fresh, "writable again");
    expect((await fresh.ramekin(["start", "kept"])).code).toBe(0);
  });
});

describe("damage", () => {
  test("[STO-4] [system fsck --repair] a layer with a flipped byte is found, and fetched again from the registry", async () => {
    await using fresh = await kitchen();
    await fresh.output(["pull", "-q", at("busybox")]);
    const [layer] = await layers();
    const path = blobPath(fresh.root, layer?.digest ?? "");
    const bytes = await readFile(path);
    bytes[1000] = (bytes[1000] ?? 0) ^ 1;
    await rm(path);
    await writeFile(path, bytes);
    expect(await fresh.ramekin(["system", "fsck"])).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(
        new RegExp(`^corrupt: blob ${layer?.digest} has the digest sha256:.*\\n {2}images: ${at("busybox")}:latest\\n`),
      ),
    });
    expect(await fresh.output(["system", "fsck", "--repair"])).toContain(`→ fetched again from ${at("busybox")}:latest`);
    await expectSound(fresh, "repaired");
    expect(await fresh.output(["run", "--rm", at("busybox"), "echo", "whole"])).toBe("whole");
  });

  test("[system fsck --quiet] [system fsck --format] [system fsck --offline] what cannot be fetched again is dropped, and nothing else", async () => {
    await using fresh = await kitchen({ images: [await busyboxImage()] });
    {
      await using gone = await faultProxy(registry().host, () => undefined);
      await fresh.output(["pull", "-q", at("layers-40", gone.host)]);
    }
    const { layers: many } = await readImage((await layeredImage(40)).folder, canonical("layers-40"));
    const lost = many.at(-1)?.digest ?? "";
    await rm(blobPath(fresh.root, many[5]?.digest ?? ""));
    await truncate(blobPath(fresh.root, lost), 3);
    const ids = await fresh.ramekin(["system", "fsck", "-q"]);
    expect({ code: ids.code, ids: ids.stdout.split("\n").filter(Boolean).sort() }).toEqual({
      code: 1,
      ids: [many[5]?.digest, lost].sort(),
    });
    // Its registry does not answer any more, but may some day.
    const waiting = await fresh.ramekin(["system", "fsck", "--repair"]);
    expect(waiting).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/, and cannot be fetched now: .*\n {2}images: .*layers-40:latest\n {2}hint: /),
    });
    expect(await fresh.output(["images", "--format", "{{.Repository}}"])).toContain("layers-40");
    const repaired = await fresh.output(["system", "fsck", "--repair", "--offline", "--format", "{{.Kind}} {{.Repaired}}"]);
    expect(repaired).toMatch(/^(missing .*layers-40:latest was dropped: it cannot be fetched .*(\n|$)){2}$/);
    expect(await fresh.output(["images", "--format", "{{.Repository}}"])).toBe("busybox");
    await expectSound(fresh, "dropped");
    expect(await fresh.output(["run", "--rm", "busybox", "echo", "still"])).toBe("still");
  });
});

describe("space", () => {
  const bytes = (text: string) => {
    const [, number, unit = "B"] = /^([\d.]+)([kMGT]?B)/.exec(text) ?? [];
    return Number(number) * 1000 ** ["B", "kB", "MB", "GB", "TB"].indexOf(unit);
  };

  test("[OBS-3] df adds up to what du finds, and what prune says to what df did", async () => {
    await using fresh = await kitchen({ images: [await busyboxImage(), await layeredImage(40)] });
    await fresh.output(["run", "--name", "writer", "busybox", "dd", "if=/dev/urandom", "of=/file", "bs=1M", "count=5"]);
    await fresh.output(["run", "--rm", "layers-40", "true"]);
    const sizes = async () => (await fresh.output(["system", "df", "--format", "{{.Size}}"])).split("\n").map(bytes);
    const du = Number((await succeed(["du", "-s", "--block-size=1", fresh.root])).stdout.split("\t")[0]);
    const [images = 0, containers = 0, ...rest] = await sizes();
    const sum = images + containers + rest.reduce((total, size) => total + size, 0);
    expect(containers).toBeGreaterThan(5 << 20);
    // Directories and records of the books, some 12 KiB a snapshot, are nobody's.
    expect(sum).toBeGreaterThan(du * 0.85);
    expect(sum).toBeLessThan(du * 1.05);
    const pruned = bytes(/Total reclaimed space: (.*)/.exec(await fresh.output(["system", "prune", "-af"]))?.[1] ?? "");
    expect(pruned).toBeGreaterThan(sum * 0.95);
    expect(pruned).toBeLessThan(sum * 1.05);
    expect(await sizes()).toEqual([0, 0, 0, 0]);
  });

  test("[system df --verbose] layers that two images share count once", async () => {
    await using fresh = await kitchen({ images: [await busyboxImage(), await layeredImage(40)] });
    const rows = (
      await fresh.output(["system", "df", "-v", "--format", "{{range .Images}}{{.SharedSize}} {{.UniqueSize}} {{.Size}}\n{{end}}"])
    )
      .trim()
      .split("\n")
      .map((line) => line.split(" ").map(bytes));
    for (const [shared = 0, unique = 0, size = 0] of rows) expect(Math.abs(shared + unique - size)).toBeLessThan(size / 50);
    expect(rows).toHaveLength(2);
  });

  test("[IMG-11] [system prune --keep-last] [system prune --max-used-space] the image that was used last stays", async () => {
    await using fresh = await kitchen({ images: [await layeredImage(40), await busyboxImage()] });
    await sleep(20);
    await fresh.output(["run", "--rm", "layers-40", "true"]);
    expect(await fresh.output(["system", "prune", "-f", "--keep-last", "1"])).toContain("untagged: busybox:latest");
    expect(await fresh.output(["images", "--format", "{{.Repository}}"])).toBe("layers-40");
    await fresh.output(["system", "prune", "-f", "--max-used-space", "1g"]);
    expect(await fresh.output(["images", "-q"])).not.toBe("");
    await fresh.output(["system", "prune", "-f", "--max-used-space", "1m"]);
    expect(await fresh.output(["images", "-q"])).toBe("");
  });

  test("[IMG-11] [gc] in config.toml: a pull makes room by itself", async () => {
    await using fresh = await kitchen({ images: [await busyboxImage()] });
    const folder = join(fresh.env["XDG_CONFIG_HOME"] ?? "", "ramekin");
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, "config.toml"), '[gc]\nmax-used = "1m"\n');
    await fresh.output(["pull", "-q", at("layers-40")]);
    expect(await fresh.output(["images", "--format", "{{.Repository}}"])).toBe(at("layers-40"));
    await expectSound(fresh, "collected");
  });
});
