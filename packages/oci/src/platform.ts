import { type Descriptor, type Platform, RamekinError } from "@ramekin/core";

/** Other names of an architecture, with the variant that the name implies. */
const architectures: Readonly<Record<string, readonly [architecture: string, variant?: string]>> = {
  x86_64: ["amd64"],
  "x86-64": ["amd64"],
  x64: ["amd64"],
  i386: ["386"],
  i486: ["386"],
  i586: ["386"],
  i686: ["386"],
  x86: ["386"],
  ia32: ["386"],
  aarch64: ["arm64"],
  armhf: ["arm", "v7"],
  armel: ["arm", "v6"],
  ppc64el: ["ppc64le"],
};

/** What an architecture means when no variant is named. */
const defaultVariants: Readonly<Record<string, string>> = { amd64: "v1", arm64: "v8", arm: "v7" };

const known = new Set([
  "amd64",
  "386",
  "arm64",
  "arm",
  "ppc64le",
  "s390x",
  "riscv64",
  "loong64",
  "mips64le",
  "mips64",
  "mipsle",
  "mips",
  "ppc64",
  "wasm",
]);

/** `linux/arm64/v8`, `linux/amd64`, or the architecture alone (`arm64`). INVALID_ARGUMENT for anything else. */
export function parsePlatform(text: string): Platform {
  const parts = text.split("/");
  const invalid = () =>
    new RamekinError("INVALID_ARGUMENT", `invalid platform ${JSON.stringify(text)}`, {
      hint: "write os/architecture/variant, such as linux/arm64/v8",
    });
  if (parts.length > 3 || parts.some((part) => !/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(part))) throw invalid();
  if (parts.length === 1) {
    const alone = normalizePlatform({ os: "linux", architecture: text });
    if (!known.has(alone.architecture)) throw invalid();
    return alone;
  }
  const [os = "", architecture = "", variant] = parts;
  return normalizePlatform({ os, architecture, ...(variant !== undefined && { variant }) });
}

/** `os/architecture[/variant]`; a default variant is not shown. */
export function formatPlatform(platform: Platform): string {
  const { os, architecture, variant } = normalizePlatform(platform);
  return [os || "unknown", architecture || "unknown", ...(variant === undefined ? [] : [variant])].join("/");
}

/** One spelling for each platform: lower case, Go's architecture names, no variant where it is the default. */
export function normalizePlatform(platform: Platform): Platform {
  const os = platform.os.toLowerCase();
  const given = platform.architecture.toLowerCase();
  const [architecture, implied] = (Object.hasOwn(architectures, given) && architectures[given]) || [given];
  const variant = (platform.variant ?? implied)
    ?.toLowerCase()
    .replace(/^(?=[0-9])/, "v")
    .replace(/\.0$/, "");
  const { variant: _, ...rest } = platform;
  return {
    ...rest,
    os: os === "macos" ? "darwin" : os,
    architecture,
    ...(variant && variant !== defaultVariants[architecture] && { variant }),
  };
}

/**
 * How well what is `offered` runs on what is `wanted`: 0 is the thing itself, more is worse, undefined does not run.
 * A newer processor runs what older ones do: amd64/v3 → v2 → amd64 → 386; arm64 → arm/v8 → v7 → v6 → v5.
 */
export function platformRank(wanted: Platform, offered: Platform): number | undefined {
  const want = normalizePlatform(wanted);
  const offer = normalizePlatform(offered);
  if (offer.os !== want.os) return undefined;
  if (want["os.version"] && offer["os.version"] && want["os.version"] !== offer["os.version"]) return undefined;
  const rank = runnable(want).indexOf(cpu(offer));
  return rank < 0 ? undefined : rank;
}

/**
 * The best descriptor of an index for a platform; among equals, the first. Attestations and the like (`unknown/unknown`) never match.
 * Descriptors without a platform are taken only when none that names one fits and there is a single one of them: its config will tell.
 * NOT_FOUND, naming what there is, otherwise.
 */
export function choosePlatform(descriptors: readonly Descriptor[], wanted: Platform, name = "the index"): Descriptor {
  const ranked = descriptors.flatMap((descriptor) => {
    const rank = descriptor.platform && platformRank(wanted, descriptor.platform);
    return rank === undefined ? [] : [{ descriptor, rank }];
  });
  const best = ranked.sort((a, b) => a.rank - b.rank)[0]?.descriptor;
  if (best) return best;
  const silent = descriptors.filter(({ platform }) => platform === undefined);
  if (silent.length === 1 && silent[0]) return silent[0];
  throw noPlatform(
    name,
    wanted,
    descriptors.flatMap(({ platform }) => platform ?? []),
  );
}

export function noPlatform(name: string, wanted: Platform, offered: readonly Platform[]): RamekinError {
  const there = [...new Set(offered.map(formatPlatform))].filter((platform) => platform !== "unknown/unknown");
  return new RamekinError("NOT_FOUND", `${name} has no image for ${formatPlatform(wanted)}`, {
    hint: there.length > 0 ? `it has ${there.join(", ")}; choose with --platform` : "it has no image for any platform",
  });
}

const cpu = ({ architecture, variant }: Platform) => `${architecture}/${variant ?? defaultVariants[architecture] ?? ""}`;

/** All that a processor runs, best first, as architecture/variant. */
function runnable({ architecture, variant }: Platform): string[] {
  const version = (text: string | undefined) => Number(/^v([0-9]+)/.exec(text ?? "")?.[1] ?? 0);
  const down = (name: string, from: number, to: number) =>
    Array.from({ length: Math.max(from - to + 1, 0) }, (_, index) => `${name}/v${from - index}`);
  const own = cpu({ os: "", architecture, ...(variant !== undefined && { variant }) });
  switch (architecture) {
    case "amd64":
      return unique([own, ...down("amd64", version(variant ?? "v1"), 1), "386/"]);
    case "arm64":
      return unique([own, ...down("arm64", version(variant ?? "v8"), 8), ...down("arm", 8, 5)]);
    case "arm":
      return unique([own, ...down("arm", version(variant ?? "v7"), 5)]);
    default:
      return unique([own, `${architecture}/`]);
  }
}

const unique = (names: readonly string[]) => [...new Set(names)];
