import type {
  CheckOptions,
  CheckReport,
  DiskUsage,
  Engine,
  GcPolicy,
  PruneContainersOptions,
  PruneImagesOptions,
  Volume,
} from "@ramekin/engine";
import { expect, test } from "vitest";
import { containerInfo, digest, imageInfo } from "./samples.ts";
import { ramekin } from "./world.ts";

const nothing = { containers: [], snapshots: [], blobs: [], reclaimed: 0 };

/** Notes what it is asked for. */
function prunable() {
  const asked: { containers?: PruneContainersOptions; images?: PruneImagesOptions; policy?: GcPolicy; leftovers?: true } = {};
  const engine: Partial<Engine> = {
    pruneContainers: async (options = {}) => {
      asked.containers = options;
      return { containers: ["abc"], reclaimed: 1000 };
    },
    pruneImages: async (options = {}) => {
      asked.images = options;
      return { untagged: ["old:1"], deleted: [digest("a")], reclaimed: 1_000_000 };
    },
    gc: async (policy) => {
      asked.policy = policy;
      return { images: [{ id: digest("b"), names: ["docker.io/library/old:2"] }], blobs: [digest("b")], snapshots: [], reclaimed: 5000 };
    },
    prune: async () => {
      asked.leftovers = true;
      return { ...nothing, snapshots: ["half"], reclaimed: 499_000 };
    },
  };
  return { asked, engine };
}

test("[system prune --force] asks unless told not to, in Docker's words", async () => {
  for (const stdin of ["n\n", "", "what\n"]) {
    const { asked, engine } = prunable();
    const { status, stdout } = await ramekin(["system", "prune"], { engine, stdin });
    expect({ status, asked }).toEqual({ status: 0, asked: {} });
    expect(stdout).toBe(
      "WARNING! This will remove:\n  - all stopped containers\n  - all dangling images\n  - what crashes have left behind\n\nAre you sure you want to continue? [y/N] ",
    );
  }
  const { asked, engine } = prunable();
  expect((await ramekin(["system", "prune"], { engine, stdin: "y\n" })).stdout).toContain("Total reclaimed space: 1.5MB");
  expect(asked.leftovers).toBe(true);
  expect((await ramekin(["system", "prune", "-f"], { engine })).stdout).toBe(
    `Deleted Containers:\nabc\n\nDeleted Images:\nuntagged: old:1\ndeleted: ${digest("a")}\n\nDeleted snapshots:\nhalf\n\nTotal reclaimed space: 1.5MB\n`,
  );
});

test("[system prune --all] [system prune --filter] reach containers and images alike", async () => {
  const { asked, engine } = prunable();
  const filters = ["--filter", "until=24h", "--filter", "label=a=1", "--filter", "label!=keep"];
  expect((await ramekin(["system", "prune", "-a", ...filters], { engine, stdin: "y\n" })).stdout).toContain(
    "  - all images without at least one container associated to them\n  - what crashes have left behind\n\n  Items to be pruned will be filtered with:\n  - until=24h\n  - label=a=1\n  - label!=keep\n",
  );
  const day = Date.now() - 86_400_000;
  for (const { until } of [asked.containers, asked.images] as { until: Date }[])
    expect(Math.abs(until.getTime() - day)).toBeLessThan(60_000);
  expect(asked.images?.all).toBe(true);
  const keeps = (labels: Record<string, string>) => [
    asked.containers?.keep?.(containerInfo({ labels })),
    asked.images?.keep?.(imageInfo(), labels),
  ];
  expect(keeps({ a: "1" })).toEqual([false, false]);
  expect(keeps({ a: "2" })).toEqual([true, true]);
  expect(keeps({ a: "1", keep: "" })).toEqual([true, true]);
  expect(await ramekin(["system", "prune", "-f", "--filter", "dangling=true"], { engine })).toMatchObject({ status: 1 });
});

test("[system prune --max-used-space] [system prune --min-free-space] [system prune --reserved-space] [system prune --keep-last] choose images by their last use, and no containers", async () => {
  const { asked, engine } = prunable();
  const limits = ["--max-used-space", "2g", "--min-free-space", "1g", "--reserved-space", "512m", "--keep-last", "3"];
  expect((await ramekin(["system", "prune", "-f", ...limits], { engine })).stdout).toBe(
    `Deleted Images:\nuntagged: old:2\ndeleted: ${digest("b")}\n\nDeleted snapshots:\nhalf\n\nTotal reclaimed space: 504kB\n`,
  );
  expect(asked).toEqual({ policy: { maxUsed: 2 ** 31, minFree: 2 ** 30, reserved: 2 ** 29, keepLast: 3 }, leftovers: true });
  expect(await ramekin(["system", "prune", "-f", "-a", "--keep-last", "3"], { engine })).toMatchObject({
    status: 125,
    stderr: expect.stringContaining("cannot be combined"),
  });
});

test("[system prune --volumes] anonymous volumes go too, and the warning says so", async () => {
  const volumes = { prune: async () => ({ volumes: ["f00d"], reclaimed: 2000 }) };
  const { engine } = prunable();
  const { stdout } = await ramekin(["system", "prune", "-f", "--volumes"], { engine: { ...engine, volumes } as never });
  expect(stdout).toContain("Deleted Volumes:\nf00d\n");
});

const volume = (name: string, containers: readonly string[]): Volume => ({
  name,
  driver: "local",
  createdAt: new Date(),
  labels: {},
  options: {},
  mountpoint: `/v/${name}/_data`,
  anonymous: false,
  containers,
});

const usage: DiskUsage = {
  images: [
    {
      id: digest("a"),
      names: ["docker.io/library/debian:12", "docker.io/library/debian:latest"],
      createdAt: new Date(Date.now() - 3 * 86_400_000),
      size: 200_000_000,
      shared: 150_000_000,
      unique: 50_000_000,
      containers: ["c1", "c2"],
    },
    { id: digest("b"), names: [], size: 160_000_000, shared: 150_000_000, unique: 10_000_000, containers: [] },
  ],
  containers: [
    { ...containerInfo({ image: "docker.io/library/debian:12", command: ["sleep", "a long long long time"] }), size: 3000 },
    { ...containerInfo({ id: "d".repeat(64), name: "old", image: digest("b"), status: "exited" }), size: 1000 },
  ],
  volumes: [
    { ...volume("pantry", ["c1"]), size: 700_000 },
    { ...volume("larder", []), size: 300_000 },
  ],
  imagesSize: 210_000_000,
  imagesReclaimable: 10_000_000,
  unfinished: { count: 0, size: 0 },
  garbage: { blobs: 0, snapshots: 0, size: 0 },
  buildCache: { entries: [], size: 0 },
  other: { count: 0, size: 0 },
};
const df = (of: DiskUsage, ...argv: string[]) => ramekin(["system", "df", ...argv], { engine: { diskUsage: async () => of } });

test("[OBS-3] df: Docker's table", async () => {
  expect((await df(usage)).stdout).toBe(
    [
      "TYPE            TOTAL     ACTIVE    SIZE      RECLAIMABLE",
      "Images          2         1         210MB     10MB (4%)",
      "Containers      2         1         4kB       1kB (25%)",
      "Local Volumes   2         1         1MB       300kB (30%)",
      "Build Cache     0         0         0B        0B",
      "",
    ].join("\n"),
  );
  const left = { ...usage, unfinished: { count: 1, size: 1000 }, garbage: { blobs: 2, snapshots: 1, size: 3000 } };
  expect((await df(left)).stdout).toMatch(/^Leftovers {7}4 {9}1 {9}4kB {7}3kB \(75%\)$/m);
});

test("[system df --format] a template, a table of one, and JSON", async () => {
  expect((await df(usage, "--format", "{{.Type}} {{.TotalCount}} {{.Active}} {{.Size}} {{.Reclaimable}}")).stdout).toMatch(
    /^Images 2 1 210MB 10MB \(4%\)\nContainers/,
  );
  expect((await df(usage, "--format", "table {{.Type}}\t{{.Size}}")).stdout).toMatch(/^TYPE {12}SIZE\nImages {10}210MB\n/);
  const [images] = (await df(usage, "--format", "json")).stdout.split("\n");
  expect(JSON.parse(images as string)).toEqual({
    Active: "1",
    Reclaimable: "10MB (4%)",
    Size: "210MB",
    TotalCount: "2",
    Type: "Images",
  });
});

test("[system df --verbose] section by section, and as one document", async () => {
  const { stdout } = await df(usage, "-v");
  expect(stdout).toContain(
    [
      "Images space usage:",
      "",
      "REPOSITORY   TAG       IMAGE ID       CREATED      SIZE      SHARED SIZE   UNIQUE SIZE   CONTAINERS",
      "debian       12        aaaaaaaaaaaa   3 days ago   200MB     150MB         50MB          2",
      "debian       latest    aaaaaaaaaaaa   3 days ago   200MB     150MB         50MB          2",
      "<none>       <none>    bbbbbbbbbbbb   N/A          160MB     150MB         10MB          0",
      "",
      "Containers space usage:",
      "",
    ].join("\n"),
  );
  expect(stdout).toMatch(/^CONTAINER ID {3}IMAGE {10}COMMAND {18}LOCAL VOLUMES {3}SIZE {6}CREATED {9}STATUS +NAMES$/m);
  expect(stdout).toMatch(/^0123456789ab {3}debian:12 {6}"sleep a long long l…" {3}0 {15}3kB {7}3 minutes ago {3}Up 2 minutes +web$/m);
  expect(stdout).toContain(
    "Local Volumes space usage:\n\nVOLUME NAME   LINKS     SIZE\npantry        1         700kB\nlarder        0         300kB\n\nBuild cache usage: 0B\n\nCACHE ID   CACHE TYPE   SIZE      CREATED   LAST USED   USAGE     SHARED\n",
  );
  const document = JSON.parse((await df(usage, "-v", "--format", "json")).stdout);
  expect(document).toMatchObject({
    Images: [{ Tag: "12", ID: digest("a") }, {}, {}],
    Containers: [{ Names: "web" }, {}],
    Volumes: [{ Name: "pantry", Links: "1", Size: "700kB" }, { Name: "larder" }],
    BuildCache: [],
  });
  expect((await df(usage, "-v", "--format", "{{range .Images}}{{.Repository}} {{.UniqueSize}};{{end}}")).stdout).toBe(
    "debian 50MB;debian 50MB;<none> 10MB;\n",
  );
});

const sound: CheckReport = {
  problems: [],
  checked: { blobs: 4, bytes: 12_300_000, images: 1, containers: 2, snapshots: 3 },
  leftovers: { leases: 0, unfinished: 0, blobs: 0, containers: 0 },
};
const corrupt = {
  kind: "corrupt",
  id: digest("a"),
  message: "blob a has the digest b",
  images: ["debian:12"],
  containers: ["web"],
} as const;
const fsck = (report: CheckReport, ...argv: string[]) => ramekin(["system", "fsck", ...argv], { engine: { check: async () => report } });

test("fsck of a sound store: status 0, and what it looked at", async () => {
  const summary = "Checked 4 blobs (12.3MB), 1 image, 2 containers, 3 snapshots.\n";
  expect(await fsck(sound)).toMatchObject({ status: 0, stdout: `${summary}The store is sound.\n`, stderr: "" });
  const left = { ...sound, leftovers: { leases: 1, unfinished: 2, blobs: 3, containers: 1 } };
  expect((await fsck(left)).stdout).toBe(
    `${summary}No problem, and for 'ramekin system prune' to take in time: 2 unfinished downloads, 3 blobs that nothing needs, 1 half-made container, 1 lease of processes that are gone.\nThe store is sound.\n`,
  );
});

test("[system fsck --repair] status 1 while something remains, 0 when all was repaired", async () => {
  const broken = { ...sound, problems: [corrupt] };
  expect(await fsck(broken)).toMatchObject({
    status: 1,
    stdout: expect.stringMatching(
      /^corrupt: blob a has the digest b\n {2}images: debian:12\n {2}containers: web\n\nChecked .*\n1 problem remains; 'ramekin system fsck --repair' puts right what can be\.\n$/,
    ),
  });
  let asked: unknown;
  const check = async (options?: CheckOptions) => {
    asked = options?.repair;
    return { ...sound, problems: [{ ...corrupt, repaired: "fetched again from debian:12" }] };
  };
  const { status, stdout } = await ramekin(["system", "fsck", "--repair"], { engine: { check } });
  expect({ status, asked }).toEqual({ status: 0, asked: true });
  expect(stdout).toContain("  → fetched again from debian:12\n");
  expect(stdout).toContain("1 problem, repaired. The store is sound.\n");
});

test("[system fsck --offline] is said to the engine, and a hint to whoever reads", async () => {
  let asked: unknown;
  const hint = "repair again when it can be had";
  const check = async (options?: CheckOptions) => {
    asked = options?.offline;
    return { ...sound, problems: [{ ...corrupt, hint }] };
  };
  const { status, stdout } = await ramekin(["system", "fsck", "--repair", "--offline"], { engine: { check } });
  expect({ status, asked }).toEqual({ status: 1, asked: true });
  expect(stdout).toContain(`\n  hint: ${hint}\n`);
  expect(await fsck(sound, "--offline")).toMatchObject({ status: 125, stderr: expect.stringContaining("hint: add --repair") });
});

test("[system fsck --quiet] [system fsck --format]", async () => {
  const broken = { ...sound, problems: [corrupt, { ...corrupt, id: digest("b"), repaired: "removed" }] };
  expect(await fsck(broken, "-q")).toMatchObject({ status: 1, stdout: `${digest("a")}\n` });
  expect(await fsck(sound, "--quiet")).toMatchObject({ status: 0, stdout: "" });
  expect((await fsck(broken, "--format", "{{.Kind}} {{.ID}} {{.Repaired}}")).stdout).toBe(
    `corrupt ${digest("a")} \ncorrupt ${digest("b")} removed\n`,
  );
  expect(JSON.parse((await fsck(broken, "--format", "json")).stdout.split("\n")[0] as string)).toEqual({
    Containers: "web",
    ID: digest("a"),
    Images: "debian:12",
    Kind: "corrupt",
    Message: "blob a has the digest b",
    Repaired: "",
  });
});
