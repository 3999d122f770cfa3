// One fault each, for as long as it lasts: the pull either succeeds or says clearly why not, nothing half-made shows, and over a
// good line it always succeeds. Mixtures of faults are in bad-line.test.ts.
import { expect, test } from "vitest";
import {
  busyboxImage,
  type Fault,
  faultProxy,
  kitchen,
  needs,
  noKitchen,
  type SeenRequest,
  seeded,
  useRegistry,
} from "../support/index.ts";

needs(noKitchen);
const registry = useRegistry(async () => [await busyboxImage()]);
const random = seeded(0xfa017);

type Spoil = (request: SeenRequest) => Fault | undefined;
const ofBlob = ({ method, url }: SeenRequest) => method === "GET" && url.includes("/blobs/");
const ofManifest = ({ url }: SeenRequest) => url.includes("/manifests/");
const blobs =
  (fault: Fault | (() => Fault)): Spoil =>
  (request) =>
    ofBlob(request) ? (typeof fault === "function" ? fault() : fault) : undefined;
const manifests =
  (fault: Fault): Spoil =>
  (request) =>
    ofManifest(request) ? fault : undefined;
/** The first answers for each blob are spoilt in these ways, one after the other; `then` all others. */
const atFirst = (faults: readonly Fault[], then: Spoil): Spoil => {
  const seen = new Map<string, number>();
  return (request) => {
    if (!ofBlob(request)) return undefined;
    const times = seen.get(request.url) ?? 0;
    seen.set(request.url, times + 1);
    return faults[times] ?? then(request);
  };
};
const itself: Spoil = (request) => (ofBlob(request) ? { status: 307, headers: { location: request.url } } : undefined);
const other = `sha256:${"0".repeat(64)}`;

const survived: readonly (readonly [string, Spoil])[] = [
  ["every answer is cut at some byte", blobs(() => ({ cutAfter: 1 + Math.floor(random() * 600_000) }))],
  ["slow bodies", blobs({ pieces: 60_000, delay: 10 })],
  ["Content-Length says more than comes", blobs({ length: 5_000_000 })],
  ["Range is ignored after a cut", atFirst([{ cutAfter: 200 }], blobs({ without: "range" }))],
  [
    "429, 500 and 502 for each, then a cut",
    atFirst([{ status: 429, headers: { "retry-after": "0" } }, { status: 500 }, { status: 502 }, { cutAfter: 100 }], () => undefined),
  ],
  ["no digest and no type beside the manifest", manifests({ answer: { "docker-content-digest": "", "content-type": "application/json" } })],
];

const told: readonly (readonly [string, Spoil, RegExp])[] = [
  ["every answer is cut at once", blobs({ cutAfter: 0 }), /socket hang up|ended after 0 of/],
  ["429, and come back soon", blobs({ status: 429, headers: { "retry-after": "0" } }), /answers 429\nhint: the registry limits requests/],
  [
    "429, and come back tomorrow",
    manifests({ status: 429, headers: { "retry-after": "86400" } }),
    /answers 429\nhint: the registry limits/,
  ],
  ["500", blobs({ status: 500 }), /answers 500/],
  ["502 with a page for people", manifests({ status: 502, body: "<html>bad gateway</html>" }), /answers 502\n/],
  ["Content-Length of a manifest is wrong", manifests({ answer: { "content-length": "100" } }), /sha256:[0-9a-f]{64}/],
  ["a blob is not there", blobs({ status: 404 }), /sha256:[0-9a-f]{64}.*answers 404/],
  ["redirects in a circle", itself, /redirect/],
  ["a redirect to where nobody is", blobs({ status: 307, headers: { location: "http://127.0.0.1:1/gone" } }), /127\.0\.0\.1:1/],
  ["bytes of another digest", blobs({ corrupt: true }), /sha256:[0-9a-f]{64}/],
  ["the manifest of another digest", manifests({ answer: { "docker-content-digest": other } }), new RegExp(other)],
];

/** A pull over the bad line, whatever comes of it; then one over a good line. The store is sound after each. */
async function pullTwice(spoil: Spoil, look: (first: { code: number; stdout: string; stderr: string }) => void): Promise<void> {
  let good = false;
  await using proxy = await faultProxy(registry().host, (request) => (good ? undefined : spoil(request)));
  await using fresh = await kitchen();
  const name = `${proxy.host}/busybox`;
  const sound = async () => expect(await fresh.output(["system", "fsck"])).toContain("The store is sound.");
  const first = await fresh.ramekin(["pull", name]);
  look(first);
  if (first.code !== 0) expect(await fresh.output(["images", "--all", "--quiet"])).toBe("");
  await sound();
  good = true;
  await fresh.output(["pull", "--quiet", name]);
  expect(await fresh.output(["run", "--rm", "--pull", "never", name, "echo", "whole"])).toBe("whole");
  await sound();
}

test.concurrent.each(survived)("[REG-7] survived: %s", async (_, spoil) => {
  await pullTwice(spoil, ({ code, stderr }) => expect({ code, stderr }).toEqual({ code: 0, stderr: "" }));
});

test.concurrent.each(told)("[REG-7] told: %s", async (_, spoil, message) => {
  await pullTwice(spoil, ({ code, stderr }) => {
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(message) });
    expect(stderr).toMatch(/^ramekin: \S/);
    expect(stderr).not.toMatch(/^\s+at |defect of ramekin|undefined|\[object/m);
  });
});
