import type { ByteSource, Descriptor } from "@ramekin/core";
import { parseReference } from "@ramekin/oci";
import { distributionRegistry } from "@ramekin/registry-distribution";
import { beforeAll, describe, expect, test } from "vitest";
import { busyboxImage, noDockerRegistry, sha256, types, useKitchen, useRegistry } from "../support/index.ts";

const registry = useRegistry(async () => [await busyboxImage()]);
const here = useKitchen(async () => ({}), noDockerRegistry);

const sbom = "application/spdx+json";
const signature = "application/vnd.example.signature";
const digests = new Map<string, string>();
const app = () => `${registry().host}/busybox`;

/** Artifacts about busybox, by the tag schema: Debian's registry has no referrers API. */
beforeAll(async () => {
  if (noDockerRegistry !== undefined) return;
  const client = distributionRegistry({ credentials: async () => undefined });
  const at = parseReference(app());
  const subject = await client.resolve(at);
  const push = async (mediaType: string, content: unknown): Promise<Descriptor> => {
    const bytes = Buffer.from(JSON.stringify(content));
    const descriptor = { mediaType, digest: sha256(bytes), size: bytes.byteLength } as Descriptor;
    const source: ByteSource = async function* () {
      yield bytes;
    };
    await client.push(at, descriptor, source);
    return descriptor;
  };
  const config = await push("application/vnd.oci.empty.v1+json", {});
  for (const artifactType of [sbom, signature]) {
    const manifest = { schemaVersion: 2, mediaType: types.manifest, artifactType, config, layers: [config], subject };
    digests.set(artifactType, (await push(types.manifest, { ...manifest, annotations: { "org.example.by": "cook" } })).digest);
  }
  client[Symbol.dispose]();
});

describe("[REG-4] referrers", () => {
  test("[referrers --quiet] [referrers --format] [referrers --artifact-type] what a registry has about an image", async () => {
    const shown = (...args: string[]) => here().output(["referrers", ...args]);
    const [head, ...rows] = (await shown(app())).split("\n").map((line) => line.split(/\s{2,}/));
    expect(head).toEqual(["DIGEST", "ARTIFACT TYPE", "SIZE"]);
    expect(rows.sort()).toEqual([...digests].map(([type, digest]) => [digest, type, expect.stringMatching(/^\d+B$/)]).sort());
    expect((await shown("-q", app())).split("\n").sort()).toEqual([...digests.values()].sort());
    expect(await shown("-q", "--artifact-type", sbom, app())).toBe(digests.get(sbom));
    const format = '{{.ArtifactType}} {{.MediaType}} {{.Annotation "org.example.by"}} {{.Annotations}}';
    expect(await shown("--artifact-type", signature, "--format", format, app())).toBe(
      `${signature} ${types.manifest} cook org.example.by=cook`,
    );
    // By digest, and of what nobody has said anything about.
    const [digest] = [...digests.values()];
    expect(await shown("-q", `${app()}@${digest}`)).toBe("");
    expect(await shown("--format", 'table {{.Digest}}\t{{.Annotation "a"}}', `${app()}@${digest}`)).toMatch(/^DIGEST +a$/);
    // Nothing was pulled.
    expect(await here().output(["images", "-q"])).toBe("");
  });

  test("of an image that there is not: not found", async () => {
    expect(await here().ramekin(["referrers", `${app()}:nothing`])).toMatchObject({ code: 1, stderr: expect.stringContaining("nothing") });
  });
});
