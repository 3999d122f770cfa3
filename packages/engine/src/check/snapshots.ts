import { isRamekinError, type StorageDriver } from "@ramekin/core";
import { isDigest } from "@ramekin/oci";
import { attempt, type Scope } from "../scope.ts";
import type { StoreProblem } from "../store-api.ts";

export interface CheckedSnapshots {
  readonly problems: readonly StoreProblem[];
  readonly count: number;
}

/** Every parent is there. A layer that has lost its own is unpacked anew when it is needed; a container's files are never removed. */
export async function checkSnapshots(scope: Scope, repair: boolean): Promise<CheckedSnapshots> {
  const problems: StoreProblem[] = [];
  let count = 0;
  for (const [driver, storage] of await scope.kernel.useAll("storage")) {
    const parents = new Map<string, string | undefined>();
    for await (const { key, parent } of storage.list()) parents.set(key, parent);
    count += parents.size;
    for (const [key, parent] of parents) {
      if (parent === undefined || parents.has(parent) || (await storage.stat(parent)) || !(await storage.stat(key))) continue;
      const above = withDescendants(key, parents);
      const problem: StoreProblem = {
        kind: "snapshot",
        id: key,
        message: `snapshot ${key} of ${driver}: its parent ${parent} is gone`,
        images: [],
        containers: above.filter((each) => /^[0-9a-f]{64}$/.test(each)).map((id) => id.slice(0, 12)),
      };
      const removed = repair && above.every(isDigest) && (await removeAll(scope, storage, above));
      problems.push(removed ? { ...problem, repaired: "removed; the layer is unpacked again when it is needed" } : problem);
    }
  }
  return { problems, count };
}

/** Children first. */
function withDescendants(key: string, parents: ReadonlyMap<string, string | undefined>): readonly string[] {
  const children = [...parents].filter(([, parent]) => parent === key).map(([child]) => child);
  return [...children.flatMap((child) => withDescendants(child, parents)), key];
}

async function removeAll(scope: Scope, storage: StorageDriver, keys: readonly string[]): Promise<boolean> {
  let removed = false;
  await attempt(scope, `removing snapshot ${keys.at(-1)}`, async () => {
    for (const key of keys) {
      await storage.remove(key).catch((error: unknown) => {
        if (!isRamekinError(error, "NOT_FOUND")) throw error;
      });
    }
    removed = true;
  });
  return removed;
}
