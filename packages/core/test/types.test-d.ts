import { type Codec, type DiffID, type Digest, definePlugin, type PluginContext, type Signal, type StorageDriver } from "../src/index.ts";

declare const digest: Digest;
declare const diffID: DiffID;
declare const codec: Codec;
declare const context: PluginContext;

export const ok: Digest = diffID;
// @ts-expect-error a blob digest is not a diff id
export const bad: DiffID = digest;
// @ts-expect-error no such extension point
definePlugin(() => ({ name: "x", provides: { stroage: {} } }));
// @ts-expect-error a storage driver must commit
export const storage: StorageDriver = {
  prepare: async () => [],
  view: async () => [],
  mounts: async () => [],
  stat: async () => undefined,
  list: async function* () {},
  remove: async () => {},
};
// @ts-expect-error no such signal
export const signal: Signal = "SIGNOPE";

definePlugin(() => ({
  name: "gzip",
  provides: { codec: { "native-gzip": { for: "gzip", probe: () => ({ ok: true, rank: 900 }), create: () => codec } } },
}));
// @ts-expect-error a codec says which format it is for
definePlugin(() => ({ name: "gzip", provides: { codec: { "native-gzip": { create: () => codec } } } }));
export const gzip: Promise<Codec> = context.use("codec", { for: "gzip" });
export const overlay: Promise<StorageDriver> = context.use("storage", "overlayfs");
// @ts-expect-error no such algorithm
void context.use("digester", { for: "md5" });
// @ts-expect-error storage drivers are not for anything in particular
void context.use("storage", { for: "gzip" });

const shy = definePlugin((options: { root?: string } = {}) => ({ name: options.root ?? "shy" }));
export const plugins = [shy(), shy({ root: "/" })];
// @ts-expect-error not an option of it
shy({ rot: "/" });

declare module "../src/plugin.ts" {
  interface Extensions {
    gpu: { devices(): Promise<string[]> };
  }
}
export const gpu = definePlugin(() => ({
  name: "gpu",
  provides: { gpu: { nvidia: { create: () => ({ devices: async () => ["/dev/nvidia0"] }) } } },
}));
