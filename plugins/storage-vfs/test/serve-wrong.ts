import { unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { serveStorage } from "@ramekin/conformance";
import { isRamekinError, type StorageDriver } from "@ramekin/core";
import { vfsStorage } from "../src/index.ts";

const [root = "", kind = ""] = process.argv.slice(2);
const right = vfsStorage(root);

/** What only a process of its own can do wrong. */
const wrong: Record<string, Partial<StorageDriver>> = {
  "both win": {
    commit: async (name, key) => {
      await right.commit(name, key).catch((error) => {
        if (!isRamekinError(error, "ALREADY_EXISTS")) throw error;
      });
    },
  },
  "removes nothing": { remove: async () => {} },
  litters: Object.fromEntries(
    (["prepare", "view", "commit", "remove", "clone"] as const).map((method) => [
      method,
      async (...args: unknown[]) => {
        const litter = join(root, "litter");
        writeFileSync(litter, "");
        const result: unknown = await Reflect.apply(right[method] as (...args: unknown[]) => unknown, right, args);
        unlinkSync(litter);
        return result;
      },
    ]),
  ),
};
serveStorage({ ...right, ...wrong[kind] });
