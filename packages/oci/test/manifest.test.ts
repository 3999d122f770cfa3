import { isRamekinError, type RamekinError } from "@ramekin/core";
import { expect, test } from "vitest";
import { maxManifestSize, mediaTypes, parseImageConfig, parseIndex, parseManifest } from "../src/index.ts";

const bytes = (value: unknown) => new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));
const descriptor = { mediaType: mediaTypes.layerGzip, digest: `sha256:${"a".repeat(64)}`, size: 3 };
const config = { ...descriptor, mediaType: mediaTypes.config };
const manifest = { schemaVersion: 2, mediaType: mediaTypes.manifest, config, layers: [descriptor] };
const index = { schemaVersion: 2, mediaType: mediaTypes.index, manifests: [{ ...descriptor, mediaType: mediaTypes.manifest }] };

function failure(run: () => unknown): RamekinError {
  try {
    run();
  } catch (error) {
    if (isRamekinError(error)) return error;
    throw error;
  }
  throw new Error("no error");
}

test("manifests and indexes keep what they say, unknown fields too", () => {
  expect(parseManifest(bytes({ ...manifest, later: 1 }), mediaTypes.manifest)).toEqual({ ...manifest, later: 1 });
  expect(parseIndex(bytes(index))).toEqual(index);
  const { mediaType: _, ...silent } = manifest;
  expect(parseManifest(bytes(silent), mediaTypes.dockerManifest)).toEqual(silent);
});

test("null is absent", () => {
  expect(parseManifest(bytes({ ...manifest, layers: null, annotations: null, subject: null }))).toEqual({ ...manifest, layers: [] });
  expect(parseIndex(bytes({ ...index, manifests: null })).manifests).toEqual([]);
  expect(parseManifest(bytes({ ...manifest, layers: [{ ...descriptor, urls: null, annotations: null }] })).layers).toEqual([descriptor]);
});

test("all violations come at once", () => {
  const wrong = {
    schemaVersion: 3,
    config: { ...config, digest: "sha256:x" },
    layers: [{ ...descriptor, size: -1 }, 5],
    annotations: { a: 1 },
  };
  const error = failure(() => parseManifest(bytes(wrong)));
  expect(error.code).toBe("DATA_LOSS");
  expect(error.errors.map(({ message }) => message.split(":")[0])).toEqual([
    "schemaVersion",
    "config.digest",
    "layers[0].size",
    "layers[1]",
    "annotations",
  ]);
});

// CVE-2021-41190
test.for<[string, () => unknown]>([
  ["a manifest with manifests", () => parseManifest(bytes({ ...manifest, manifests: [] }))],
  ["an index with layers", () => parseIndex(bytes({ ...index, layers: [] }))],
  ["an index with a config", () => parseIndex(bytes({ ...index, config }))],
  ["a manifest that says index", () => parseManifest(bytes({ ...manifest, mediaType: mediaTypes.index }))],
  ["an index whose descriptor says manifest", () => parseIndex(bytes(index), mediaTypes.manifest)],
  [
    "a docker manifest whose descriptor says oci",
    () => parseManifest(bytes({ ...manifest, mediaType: mediaTypes.dockerManifest }), mediaTypes.manifest),
  ],
])("ambiguous: %s", ([, run]) => {
  expect(failure(run).code).toBe("DATA_LOSS");
});

test("docker schema 1 is refused by name", () => {
  expect(failure(() => parseManifest(bytes({ schemaVersion: 1, fsLayers: [] }))).code).toBe("UNSUPPORTED");
  expect(failure(() => parseManifest(bytes("{}"), mediaTypes.dockerSchema1Signed)).code).toBe("UNSUPPORTED");
});

test("size and number of entries are bounded", () => {
  expect(failure(() => parseManifest(new Uint8Array(maxManifestSize + 1))).code).toBe("RESOURCE_EXHAUSTED");
  expect(failure(() => parseManifest(bytes({ ...manifest, layers: Array.from({ length: 10_001 }, () => descriptor) }))).code).toBe(
    "DATA_LOSS",
  );
});

test.for(["", "null", "[]", "1", '{"schemaVersion":2', "\u0000", "[".repeat(1_000_000)])("what is no json object is corrupt", (text) => {
  expect(failure(() => parseManifest(bytes(text))).code).toBe("DATA_LOSS");
  expect(failure(() => parseImageConfig(bytes(text))).code).toBe("DATA_LOSS");
});

test("a config with nulls everywhere has no fields there", () => {
  const nulls = { architecture: "amd64", os: "linux", created: null, history: null, rootfs: { type: "layers", diff_ids: null } };
  expect(parseImageConfig(bytes({ ...nulls, config: { Env: null, Cmd: null, Labels: null, Healthcheck: null, User: "" } }))).toEqual({
    architecture: "amd64",
    os: "linux",
    rootfs: { type: "layers", diff_ids: [] },
    config: { User: "" },
  });
  expect(parseImageConfig(bytes({ config: null }))).toEqual({ architecture: "", os: "", rootfs: { type: "layers", diff_ids: [] } });
});

test("a config that a container would stumble over is refused, with all reasons", () => {
  const wrong = { os: 1, rootfs: { diff_ids: ["../x"] }, config: { Env: "A=1", Cmd: [1], Labels: [], ExposedPorts: [] }, history: {} };
  const error = failure(() => parseImageConfig(bytes(wrong)));
  expect(error.errors.map(({ message }) => message.split(":")[0])).toEqual([
    "os",
    "config.Env",
    "config.Cmd",
    "config.ExposedPorts",
    "config.Labels",
    "rootfs.diff_ids",
    "history",
  ]);
});
