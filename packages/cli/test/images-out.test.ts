import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ByteStream, RamekinError } from "@ramekin/core";
import type { HistoryStep, ImagePlatform, PushOptions, PushProgress } from "@ramekin/engine";
import { describe, expect, test } from "vitest";
import { digest, imageDetails, imageInfo } from "./samples.ts";
import { ramekin } from "./world.ts";

const layer = { mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", total: 100 };

describe("ramekin push", () => {
  async function push(words: readonly string[], reports: readonly Partial<PushProgress>[] = []) {
    const asked: (readonly [string, Partial<PushOptions>])[] = [];
    const ran = await ramekin(["push", ...words], {
      engine: {
        images: async () => [imageInfo({ name: "docker.io/me/app:2" }), imageInfo({ name: "docker.io/me/app:1" }), imageInfo()],
        push: async (name, { onProgress, signal: _, ...options } = {}) => {
          asked.push([name, options]);
          for (const report of reports) onProgress?.({ digest: digest("e"), status: "preparing", current: 0, ...layer, ...report });
          return { name, descriptor: imageInfo().descriptor };
        },
      },
    });
    return { ...ran, asked };
  }

  test("says what Docker says", async () => {
    const { stdout } = await push(
      ["localhost:5000/app"],
      [
        {},
        { status: "pushing", current: 10 },
        { status: "pushed", current: 100 },
        { digest: digest("f"), status: "exists" },
        { digest: digest("a"), status: "mounted", from: "team/base" },
        { digest: digest("c"), mediaType: "application/vnd.oci.image.config.v1+json", status: "pushed" },
      ],
    );
    expect(stdout).toBe(
      [
        "Using default tag: latest",
        "The push refers to repository [localhost:5000/app]",
        "eeeeeeeeeeee: Preparing",
        "eeeeeeeeeeee: Pushed",
        "ffffffffffff: Layer already exists",
        "aaaaaaaaaaaa: Mounted from team/base",
        `latest: digest: ${digest("b")} size: 500`,
        "",
      ].join("\n"),
    );
  });

  test("[push --all-tags] [push --quiet] all names of the repository", async () => {
    const { stdout, asked } = await push(["-aq", "me/app"]);
    expect(asked.map(([name]) => name)).toEqual(["docker.io/me/app:1", "docker.io/me/app:2"]);
    expect(stdout).toBe("docker.io/me/app:1\ndocker.io/me/app:2\n");
    expect(await push(["-a", "me/app:1"])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("tag can't be used with --all-tags/-a"),
    });
    expect(await push(["-a", "you/app"])).toMatchObject({ status: 1, stderr: expect.stringContaining("does not exist locally") });
  });

  test("[push --platform] [push --compression] are passed on", async () => {
    expect((await push(["--platform", "linux/arm64", "--compression", "zstd:19", "me/app"])).asked[0]?.[1]).toEqual({
      platform: { os: "linux", architecture: "arm64" },
      compression: { format: "zstd", level: 19 },
    });
    expect((await push(["--compression", "gzip", "me/app"])).asked[0]?.[1]).toEqual({ compression: { format: "gzip" } });
    expect(await push(["--compression", "xz", "me/app"])).toMatchObject({ status: 125, asked: [] });
  });

  test("[push --digestfile] [push --progress]", async () => {
    const folder = await mkdtemp(join(tmpdir(), "ramekin-cli-"));
    try {
      const { stdout } = await push(
        ["--progress", "json", "--digestfile", join(folder, "digest"), "me/app:1"],
        [{ status: "pushing", current: 10 }],
      );
      expect(await readFile(join(folder, "digest"), "utf8")).toBe(digest("b"));
      expect(stdout).toContain('{"status":"Preparing","id":"eeeeeeeeeeee","progressDetail":{"current":10,"total":100}}\n');
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe("ramekin save", () => {
  test("[save --multi-image-archive] is how it is; more names for one image are refused, as is what would do nothing", async () => {
    const saved: unknown[] = [];
    const engine = { save: async (names: readonly string[]) => void saved.push(names) };
    expect(await ramekin(["save", "-m", "-o", "x.tar", "a", "b"], { engine })).toMatchObject({ status: 0 });
    expect(await ramekin(["save", "--multi-image-archive=false", "-o", "x.tar", "a", "b"], { engine })).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("ramekin tag"),
    });
    expect(await ramekin(["save", "-q", "-o", "x.tar", "a"], { engine })).toMatchObject({
      status: 125,
      stderr: expect.stringContaining("only warnings"),
    });
    expect(await ramekin(["save", "--uncompressed", "a"], { engine })).toMatchObject({
      status: 125,
      stderr: expect.stringContaining("byte for byte"),
    });
    expect(saved).toEqual([["a", "b"]]);
  });

  test("[save --output] [save --format] [save --compress] [save --platform] are passed on", async () => {
    const asked: unknown[] = [];
    const engine = {
      save: async (names: readonly string[], target: unknown, { signal: _, ...options }: object & { signal?: unknown } = {}) =>
        void asked.push([names, target, options]),
    };
    const words = ["save", "-o", "x.tar", "--format", "oci-archive", "--compress", "zstd", "--platform", "linux/arm64", "a", "b"];
    expect((await ramekin(words, { engine })).status).toBe(0);
    expect(asked).toEqual([
      [["a", "b"], "x.tar", { format: "oci-archive", compress: "zstd", platform: { os: "linux", architecture: "arm64" } }],
    ]);
    expect(await ramekin(["save", "--format", "zip", "a"], { engine })).toMatchObject({ status: 125 });
  });

  test("to stdout", async () => {
    const engine = {
      save: async (_: readonly string[], target: string | WritableStream<Uint8Array>) => {
        const writer = (target as WritableStream<Uint8Array>).getWriter();
        await writer.write(Buffer.from("tar"));
        await writer.close();
      },
    };
    expect(await ramekin(["save", "a"], { engine })).toMatchObject({ status: 0, stdout: "tar" });
  });
});

test("[import --change] [import --message] [import --platform] are passed on; - is stdin", async () => {
  const asked: unknown[] = [];
  const engine = {
    import: async (source: string | ByteStream, { signal: _, ...options }: object & { signal?: unknown } = {}) => {
      const chunks: Uint8Array[] = [];
      if (typeof source !== "string") for await (const chunk of source) chunks.push(chunk);
      asked.push([typeof source === "string" ? source : Buffer.concat(chunks).toString(), options]);
      return imageInfo();
    },
  };
  const words = ["import", "-c", "CMD a", "--change", "ENV A=b", "-m", "why", "--platform", "linux/arm64", "-", "own:1"];
  expect(await ramekin(words, { engine, stdin: "tar" })).toMatchObject({ status: 0, stdout: `${digest("b")}\n` });
  await ramekin(["import", "http://example.com/x.tar"], { engine });
  expect(asked).toEqual([
    ["tar", { changes: ["CMD a", "ENV A=b"], name: "own:1", message: "why", platform: { os: "linux", architecture: "arm64" } }],
    ["http://example.com/x.tar", { changes: [] }],
  ]);
});

test("[export-image --output] leaves nothing of a file that could not be finished", async () => {
  const folder = await mkdtemp(join(tmpdir(), "ramekin-cli-"));
  const engine = {
    exportImage: async function* (name: string) {
      yield Buffer.from("half");
      if (name === "bad") throw new RamekinError("DATA_LOSS", "damaged");
    },
  };
  try {
    expect((await ramekin(["export-image", "-o", join(folder, "a"), "good"], { engine })).status).toBe(0);
    expect(await readFile(join(folder, "a"), "utf8")).toBe("half");
    expect((await ramekin(["export-image", "-o", join(folder, "b"), "bad"], { engine })).status).toBe(1);
    await expect(readFile(join(folder, "b"))).rejects.toThrow("ENOENT");
    expect(await ramekin(["export-image", "good"], { engine })).toMatchObject({ stdout: "half" });
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("[history --human] [history --quiet] [history --no-trunc] [history --format] [history --platform]", async () => {
  const steps: HistoryStep[] = [
    {
      id: digest("b"),
      createdAt: new Date("2026-01-02T03:04:05.678Z"),
      createdBy: `/bin/sh -c ${"x".repeat(60)}`,
      comment: "why",
      size: 1_500_000,
      names: ["docker.io/library/debian:12"],
    },
    { createdBy: "", comment: "", size: 0, names: [] },
  ];
  let asked: unknown;
  const engine = {
    history: async (_: string, options: object = {}) => {
      asked = options;
      return steps;
    },
  };
  const lines = async (...words: string[]) => (await ramekin(["history", ...words, "debian"], { engine })).stdout.split("\n");
  const [heading, first, second] = await lines();
  expect(heading?.split(/ {2,}/)).toEqual(["IMAGE", "CREATED", "CREATED BY", "SIZE", "COMMENT"]);
  expect(first).toMatch(/^b{12} {3}\d+ \w+ ago +\/bin\/sh -c x{33}… {3}1\.5MB {5}why$/);
  expect(second).toMatch(/^<missing> +N\/A +0B +$/);
  expect((await lines("--human=false", "--no-trunc"))[1]).toMatch(
    /^sha256:b{64} {3}2026-01-02T03:04:05Z {3}\/bin\/sh -c x{60} {3}1500000 {3}why$/,
  );
  expect(await lines("-q")).toEqual(["bbbbbbbbbbbb", "<missing>", ""]);
  expect(await lines("--format", "{{.ID}} {{.Size}}")).toEqual(["bbbbbbbbbbbb 1.5MB", "<missing> 0B", ""]);
  await lines("--platform", "linux/arm64");
  expect(asked).toEqual({ platform: { os: "linux", architecture: "arm64" } });
});

test("[image prune --all] [image prune --filter] [image prune --force] asks, and says what went", async () => {
  const asked: object[] = [];
  const engine = {
    pruneImages: async ({ signal: _, ...options }: object & { signal?: unknown } = {}) => {
      asked.push(options);
      return { untagged: ["debian:12"], deleted: [digest("b")], reclaimed: 1_500_000 };
    },
  };
  expect((await ramekin(["image", "prune"], { engine, stdin: "" })).stdout).toMatch(/^WARNING! This will remove all dangling images\.\n/);
  expect((await ramekin(["image", "prune", "-a"], { engine, stdin: "n\n" })).stdout).toContain(
    "all images without at least one container associated to them.",
  );
  expect(asked).toEqual([]);
  const { stdout } = await ramekin(["image", "prune", "-af", "--filter", "until=2026-01-01T00:00:00Z", "--filter", "label!=keep"], {
    engine,
  });
  expect(stdout).toBe(`Deleted Images:\nuntagged: debian:12\ndeleted: ${digest("b")}\n\nTotal reclaimed space: 1.5MB\n`);
  const [options] = asked as [{ all: boolean; until: Date; keep: (image: object, labels: object) => boolean }];
  expect(options).toMatchObject({ all: true, until: new Date("2026-01-01T00:00:00Z") });
  expect([options.keep({}, { keep: "1" }), options.keep({}, {})]).toEqual([true, false]);
  expect(await ramekin(["image", "prune", "-f", "--filter", "size=1"], { engine })).toMatchObject({ status: 1 });
});

const platforms: readonly ImagePlatform[] = [
  {
    descriptor: { mediaType: "", digest: digest("c"), size: 1 },
    platform: { os: "linux", architecture: "amd64" },
    available: true,
    size: 1000,
    unpacked: 2000,
    layers: [
      { digest: digest("1"), chainId: digest("1"), size: 10 },
      { digest: digest("2"), chainId: digest("2"), size: 20 },
    ],
    containers: ["x"],
  },
  {
    descriptor: { mediaType: "", digest: digest("d"), size: 1 },
    platform: { os: "unknown", architecture: "unknown" },
    available: true,
    size: 5,
    unpacked: 0,
    layers: [],
    containers: [],
  },
];

test("[images --tree] each image with its platforms, without attestations", async () => {
  const engine = { images: async () => [imageInfo({ size: 1005 })], platforms: async () => platforms };
  expect((await ramekin(["images", "--tree"], { engine })).stdout).toBe(
    [
      "IMAGE            ID             DISK USAGE   CONTENT SIZE   EXTRA",
      "debian:12        bbbbbbbbbbbb   3kB          1kB            U",
      "└─ linux/amd64   cccccccccccc   3kB          1kB            U",
      "",
    ].join("\n"),
  );
  expect(await ramekin(["images", "--tree", "--digests"], { engine })).toMatchObject({ status: 1 });
});

test("[image tree --whatrequires] shared layers once", async () => {
  const engine = {
    images: async () => [imageInfo(), imageInfo({ id: digest("a"), name: "docker.io/library/base:1" })],
    image: async () => imageDetails({ id: digest("a"), name: "docker.io/library/base:1" }),
    platforms: async (id: string) =>
      id === digest("a") ? [{ ...platforms[0], layers: platforms[0]?.layers.slice(0, 1) } as ImagePlatform] : platforms,
  };
  const shared = `└── ID: 111111111111 Size: 10B Top Layer of: [base:1]`;
  const above = `    └── ID: 222222222222 Size: 20B Top Layer of: [debian:12]`;
  expect((await ramekin(["image", "tree"], { engine })).stdout).toBe(`${shared}\n${above}\n`);
  const head = "Image ID: aaaaaaaaaaaa\nTags:     [base:1]\nSize:     48.5MB\nImage Layers\n";
  expect((await ramekin(["image", "tree", "base:1"], { engine })).stdout).toBe(`${head}${shared}\n`);
  expect((await ramekin(["image", "tree", "--whatrequires", "base:1"], { engine })).stdout).toBe(`${head}${shared}\n${above}\n`);
});

test("[image diff --format] [image diff --platform]", async () => {
  let asked: unknown;
  const engine = {
    imageChanges: async function* (...words: unknown[]) {
      asked = words.slice(0, 2);
      yield { path: "/a", kind: "added" as const };
      yield { path: "/c", kind: "modified" as const };
      yield { path: "/d", kind: "deleted" as const };
    },
  };
  expect((await ramekin(["image", "diff", "x", "y"], { engine })).stdout).toBe("A /a\nC /c\nD /d\n");
  expect(asked).toEqual(["x", "y"]);
  const { stdout } = await ramekin(["image", "diff", "--format", "json", "--platform", "linux/amd64", "x"], { engine });
  expect(JSON.parse(stdout)).toEqual({ changed: ["/c"], added: ["/a"], deleted: ["/d"] });
});

test("[image mount --all] [image mount --format] [image unmount --all]", async () => {
  const mount = { id: digest("b"), name: "docker.io/library/debian:12", path: "/run/x/fs" };
  const engine = {
    images: async () => [imageInfo(), imageInfo({ name: "docker.io/library/other:1" })],
    mountImage: async () => mount,
    mountedImages: async () => [mount],
    unmountImage: async (name: string) => {
      if (name === "absent") throw new RamekinError("NOT_FOUND", "image absent is not mounted");
      return mount;
    },
  };
  const out = async (...words: string[]) => (await ramekin(["image", ...words], { engine })).stdout;
  expect(await out("mount", "debian")).toBe("/run/x/fs\n");
  expect(await out("mount")).toBe("debian:12   /run/x/fs\n");
  expect(await out("mount", "-a")).toBe("debian:12   /run/x/fs\n"); // an image with two names once
  expect(JSON.parse(await out("mount", "--format", "json"))).toEqual([
    { id: digest("b"), Repositories: [mount.name], mountpoint: mount.path },
  ]);
  expect(await out("unmount", "-a")).toBe(`${digest("b")}\n`);
  expect(await ramekin(["image", "unmount", "absent", "debian"], { engine })).toMatchObject({ status: 1, stdout: `${digest("b")}\n` });
  expect((await ramekin(["image", "unmount"], { engine })).status).toBe(1);
  expect((await ramekin(["image", "mount", "-a", "debian"], { engine })).status).toBe(1);
});

test("[pull --all-tags] [pull --all-platforms] [pull --progress] [rmi --no-prune] [rmi --platform] [load --platform]", async () => {
  const asked: unknown[] = [];
  const engine = {
    remoteTags: async () => ["1", "2"],
    pull: async (name: string, { signal: _, onProgress: __, ...options }: object & { signal?: unknown; onProgress?: unknown } = {}) => {
      asked.push([name, options]);
      return imageInfo();
    },
    removeImage: async (name: string, options: object = {}) => {
      asked.push([name, options]);
      return [];
    },
    load: async (source: unknown, { signal: _, onProgress: __, ...options }: object & { signal?: unknown; onProgress?: unknown } = {}) => {
      asked.push([source, options]);
      return [];
    },
  };
  await ramekin(["pull", "-a", "--all-platforms", "me/app"], { engine });
  expect(await ramekin(["pull", "-a", "me/app:1"], { engine })).toMatchObject({ status: 1 });
  expect((await ramekin(["pull", "--progress", "json", "me/app:1"], { engine })).stdout).toContain('{"status":"1: Pulling from me/app"}\n');
  await ramekin(["rmi", "--no-prune", "--platform", "linux/arm64", "--platform", "linux/amd64,linux/386", "x"], { engine });
  await ramekin(["load", "--platform", "linux/arm64", "-i", "x.tar"], { engine });
  const platform = (architecture: string) => ({ os: "linux", architecture });
  expect(asked).toEqual([
    ["docker.io/me/app:1", { unpack: true, allPlatforms: true }],
    ["docker.io/me/app:2", { unpack: true, allPlatforms: true }],
    ["me/app:1", { unpack: true }],
    ["x", { force: false, noPrune: true, platforms: ["arm64", "amd64", "386"].map(platform) }],
    ["x.tar", { platform: platform("arm64") }],
  ]);
});
