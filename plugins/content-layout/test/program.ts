import { appendFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { serveContent } from "@ramekin/conformance";
import type { ContentStore } from "@ramekin/core";
import { tryLock } from "@ramekin/native";
import { storeAt } from "./stores.ts";

/** Writes where the blob will be, so that a crash leaves half of it for everybody to see. */
function careless(root: string): ContentStore {
  const right = storeAt(root);
  return {
    ...right,
    open: async (ref, { expected } = {}) => {
      const writer = await right.open(ref, expected ? { expected } : {});
      const [algorithm = "", hex = ""] = (expected?.digest ?? "").split(":");
      const folder = join(root, "blobs", algorithm);
      await mkdir(folder, { recursive: true });
      return { ...writer, write: (chunk) => appendFile(join(folder, hex), chunk) };
    },
  };
}

const [root = "", how = ""] = process.argv.slice(2);
const stores: Record<string, () => ContentStore> = {
  owner: () => storeAt(root),
  flock: () => storeAt(root, tryLock),
  careless: () => careless(root),
  lockless: () => storeAt(root, async () => ({ release: async () => {} })),
};
serveContent((stores[how] ?? (() => storeAt(root)))());
