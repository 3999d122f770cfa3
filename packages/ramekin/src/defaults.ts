import type { Plugin } from "@ramekin/core";
import { type Announced, lazyPlugin } from "./lazy.ts";

/** The drivers that come with Ramekin, by the plugin that has them. */
export const announced: Readonly<Record<string, readonly Announced[]>> = {
  "content-layout": [{ kind: "content", name: "layout" }],
  "storage-overlayfs": [{ kind: "storage", name: "overlayfs", maxRank: 100 }],
  "storage-vfs": [{ kind: "storage", name: "vfs", maxRank: 10 }],
  "layer-native": [
    { kind: "applier", name: "native" },
    { kind: "differ", name: "native" },
  ],
  "isolation-linux": [{ kind: "isolation", name: "linux", maxRank: 10 }],
  "isolation-oci": [{ kind: "isolation", name: "oci", maxRank: 5 }],
  "network-none": [{ kind: "network", name: "none" }],
  "network-host": [{ kind: "network", name: "host" }],
  "log-json-file": [
    { kind: "log", name: "json-file" },
    { kind: "log", name: "local" },
    { kind: "log", name: "none" },
    { kind: "log", name: "passthrough" },
  ],
  "registry-distribution": [{ kind: "registry", name: "distribution" }],
  "transport-oci": [
    { kind: "transport", name: "oci" },
    { kind: "transport", name: "oci-archive" },
  ],
  "transport-docker-archive": [
    { kind: "transport", name: "docker-archive" },
    { kind: "transport", name: "dual-archive" },
    { kind: "transport", name: "dir" },
  ],
  "codec-native": [
    { kind: "codec", name: "native-gzip", for: "gzip" },
    { kind: "codec", name: "native-zstd", for: "zstd" },
    { kind: "digester", name: "native-sha256", for: "sha256" },
    { kind: "digester", name: "native-sha512", for: "sha512" },
  ],
  "codec-node": [
    { kind: "codec", name: "node-gzip", for: "gzip" },
    { kind: "codec", name: "node-zstd", for: "zstd" },
    { kind: "codec", name: "program-xz", for: "xz" },
    { kind: "codec", name: "program-bzip2", for: "bzip2" },
    { kind: "digester", name: "node-sha256", for: "sha256" },
    { kind: "digester", name: "node-sha512", for: "sha512" },
  ],
  "codec-wasm": [
    { kind: "codec", name: "wasm-gzip", for: "gzip" },
    { kind: "digester", name: "wasm-sha256", for: "sha256" },
    { kind: "digester", name: "wasm-sha512", for: "sha512" },
  ],
};

/** Literal imports, which a bundler can see. */
export const modules: Readonly<Record<keyof typeof announced, () => Promise<{ readonly default: () => Plugin }>>> = {
  "content-layout": () => import("@ramekin/content-layout"),
  "storage-overlayfs": () => import("@ramekin/storage-overlayfs"),
  "storage-vfs": () => import("@ramekin/storage-vfs"),
  "layer-native": () => import("@ramekin/layer-native"),
  "isolation-linux": () => import("@ramekin/isolation-linux"),
  "isolation-oci": () => import("@ramekin/isolation-oci"),
  "network-none": () => import("@ramekin/network-none"),
  "network-host": () => import("@ramekin/network-host"),
  "log-json-file": () => import("@ramekin/log-json-file"),
  "registry-distribution": () => import("@ramekin/registry-distribution"),
  "transport-oci": () => import("@ramekin/transport-oci"),
  "transport-docker-archive": () => import("@ramekin/transport-docker-archive"),
  "codec-native": () => import("@ramekin/codec-native"),
  "codec-node": () => import("@ramekin/codec-node"),
  "codec-wasm": () => import("@ramekin/codec-wasm"),
};

export function defaultPlugins(): Plugin[] {
  return Object.entries(announced).map(([name, extensions]) =>
    lazyPlugin(name, extensions, modules[name] as () => Promise<{ default: () => Plugin }>),
  );
}
