import type { ContainerImageConfig } from "@ramekin/oci";
import { evaluateStages, type IgnoreMatcher, parseDockerfile, type ResolveOptions, resolveStages, sourceKey } from "../src/index.ts";

const platform = { os: "linux", architecture: "amd64" };
const plain: ContainerImageConfig = { ...platform, config: {}, rootfs: { type: "layers", diff_ids: [] } };

type Given = Partial<Omit<ResolveOptions, "buildArgs" | "contexts">> & {
  readonly args?: Readonly<Record<string, string>>;
  readonly contexts?: readonly string[];
  /** By reference, without docker.io, library and latest. */
  readonly images?: Readonly<Record<string, ContainerImageConfig>>;
  readonly ignore?: IgnoreMatcher;
};

/** Resolves as a builder does: images are looked at until nothing is missing. Those that are not given are empty. */
export function resolve(text: string, { args = {}, contexts = [], images = {}, ...rest }: Given = {}) {
  const file = parseDockerfile(text);
  const bases = new Map<string, ContainerImageConfig>();
  const options: ResolveOptions = {
    platforms: { target: platform, build: platform, explicit: true },
    buildArgs: new Map(Object.entries(args)),
    contexts: new Set(contexts),
    bases,
    ...rest,
  };
  for (let round = 0; ; round++) {
    const graph = resolveStages(file, options);
    if (graph.missing.length === 0 || round > 9) return { file, options, graph };
    for (const origin of graph.missing) {
      const name = origin.kind === "image" ? origin.reference.replace(/^docker\.io\/(?:library\/)?|:latest$/g, "") : origin.name;
      bases.set(sourceKey(origin), images[name] ?? plain);
    }
  }
}

export function evaluate(text: string, given: Given = {}) {
  const resolved = resolve(text, given);
  const { ignore } = given;
  return { ...resolved, ...evaluateStages(resolved.graph, { ...(ignore && { ignore }) }) };
}
