import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  busyboxImage,
  type Fault,
  faultProxy,
  kitchen,
  layeredImage,
  needs,
  noKitchen,
  type SeenRequest,
  seeded,
  useRegistry,
} from "../support/index.ts";

needs(noKitchen);
const registry = useRegistry(async () => [await busyboxImage(), await layeredImage(40)]);

/** Whatever a line, a proxy or a registry can do to an answer. Nothing is silent for long: that has tests of its own. */
const faults: readonly ((random: () => number, request: SeenRequest) => Fault)[] = [
  (random) => ({ cutAfter: Math.floor(random() ** 3 * 1_000_000) }),
  () => ({ status: 429, headers: { "retry-after": "0" } }),
  () => ({ status: 500 }),
  () => ({ status: 502, body: "<html>bad gateway</html>" }),
  () => ({ status: 429, headers: { "retry-after": "86400" } }),
  () => ({ status: 404 }),
  () => ({ pieces: 40_000, delay: 5 }),
  (random) => ({ length: Math.floor(random() * 1_000_000) }),
  () => ({ without: "range" }),
  () => ({ corrupt: true }),
  (_, { url }) => ({ status: 307, headers: { location: url } }),
  () => ({ status: 307, headers: { location: "http://127.0.0.1:1/gone" } }),
  () => ({ answer: { "docker-content-digest": `sha256:${"0".repeat(64)}` } }),
  () => ({ answer: { "content-type": "application/octet-stream", "docker-content-digest": "" } }),
];

test.each(Array.from({ length: 8 }, (_, index) => index + 1))(
  "[REG-7] a pull over a bad line succeeds or says why it did not, and the next one over a good line succeeds: seed %i",
  async (seed) => {
    const random = seeded(seed);
    // From a line that spoils one answer in twenty to one that spoils every other.
    const badness = 0.05 + 0.45 * random();
    const image = seed % 3 === 0 ? "layers-40" : "busybox";
    let good = false;
    await using proxy = await faultProxy(registry().host, (request) =>
      good || random() > badness ? undefined : faults[Math.floor(random() * faults.length)]?.(random, request),
    );
    await using fresh = await kitchen();
    const name = `${proxy.host}/${image}`;
    const { code, stdout, stderr } = await fresh.ramekin(["pull", name], { timeout: 40_000 });
    if (code === 0) {
      expect(stdout).toContain(`${name}:latest`);
      expect(stderr).toBe("");
    } else {
      expect(code).toBe(1);
      expect(stderr).toMatch(/^ramekin: \S/);
      expect(stderr).not.toMatch(/^\s+at |defect of ramekin|undefined|\[object/m);
      expect(await fresh.output(["images", "--quiet"])).toBe("");
    }
    good = true;
    await fresh.output(["pull", "--quiet", name]);
    expect(await fresh.output(["run", "--rm", "--pull", "never", name, "echo", "whole"])).toBe("whole");
  },
);

test("[REG-3] layers that a mirror has wrong or short come from the next mirror, those that none has right from the registry", async () => {
  const ofBlob = ({ method, url }: SeenRequest) => method === "GET" && url.includes("/blobs/");
  await using wrong = await faultProxy(registry().host, (request) => (ofBlob(request) ? { corrupt: true } : undefined));
  await using short = await faultProxy(registry().host, (request) =>
    !ofBlob(request) ? undefined : request.headers.range === undefined ? { cutAfter: 10 } : { status: 416 },
  );
  await using fresh = await kitchen();
  const folder = join(fresh.folder, "home/.config/ramekin");
  await mkdir(folder, { recursive: true });
  const mirrors = [wrong, short].map(({ host }) => `"http://${host}"`).join(", ");
  await writeFile(join(folder, "registries.toml"), `[registry."${registry().host}"]\nmirrors = [${mirrors}]\n`);
  const name = `${registry().host}/busybox`;
  const { code, stderr } = await fresh.ramekin(["pull", "--quiet", name]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining(`mirror ${wrong.host} was passed over for sha256:`) });
  expect(await fresh.output(["run", "--rm", "--pull", "never", name, "echo", "whole"])).toBe("whole");
  expect(await fresh.output(["system", "fsck"])).toContain("The store is sound.");
  for (const mirror of [wrong, short]) expect(mirror.seen.filter(ofBlob).length).toBeGreaterThanOrEqual(2);
});

test("[REG-3] a manifest that a mirror has wrong comes from the next place, for manifest inspect as for pull", async () => {
  const ofManifest = ({ method, url }: SeenRequest) => method === "GET" && url.includes("/manifests/");
  await using wrong = await faultProxy(registry().host, (request) => (ofManifest(request) ? { corrupt: true } : undefined));
  await using fresh = await kitchen();
  const folder = join(fresh.folder, "home/.config/ramekin");
  await mkdir(folder, { recursive: true });
  const name = `${registry().host}/busybox`;
  const right = await fresh.output(["manifest", "inspect", name]);
  await writeFile(join(folder, "registries.toml"), `[registry."${registry().host}"]\nmirrors = ["http://${wrong.host}"]\n`);
  const { code, stdout, stderr } = await fresh.ramekin(["manifest", "inspect", name]);
  expect({ code, stdout: stdout.trim() }).toEqual({ code: 0, stdout: right.trim() });
  expect(stderr).toContain(`mirror ${wrong.host} was passed over for sha256:`);
  expect(wrong.seen.some(ofManifest)).toBe(true);
  await fresh.output(["pull", "--quiet", name]);
});
