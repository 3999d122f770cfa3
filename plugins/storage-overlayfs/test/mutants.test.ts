import { chmodSync, readlinkSync, rmSync } from "node:fs";
import { join } from "node:path";
import { outcomes, storageSuite, type Wrong } from "@ramekin/conformance";
import type { StorageDriver } from "@ramekin/core";
import { expect, test, vi } from "vitest";
import { bed } from "./bed.ts";

vi.setConfig({ testTimeout: 120_000 });

/** Commits well, and then does something to the layer's files. */
const spoil =
  (damage: (at: (path: string) => string) => void, only?: string): Wrong<StorageDriver> =>
  (right, root) => ({
    commit: async (name, key, options) => {
      await right.commit(name, key, options);
      if (only === undefined || name === only) damage((path) => join(root, "l", readlinkSync(join(root, "keys", name)), "fs", path));
    },
  });

/** For each case that needs layers one over the other, by name, one thing done wrong on top of a right driver. */
const mutants: Record<string, Wrong<StorageDriver>> = {
  "rebased layers lie one over the other": (right) => ({ commit: (name, key) => right.commit(name, key) }),
  "a rebased layer deletes what lies below": spoil((at) => rmSync(at("gone")), "layer-2"),
  "a directory that a rebased layer only goes through looks as it does below": spoil((at) => chmodSync(at("."), 0o755), "layer-2"),
  "a rebased layer links to a file below": spoil((at) => rmSync(at("link")), "layer-2"),
  "a layer that links to nothing is refused": (right) => ({
    commit: (name, key, options) => right.commit(name, key, options).catch(() => undefined),
  }),
  "usage counts only the snapshot itself": (right) => ({
    usage: async (key) => {
      const { size = 0, inodes = 0 } = (await right.usage?.(key)) ?? {};
      return { size: size + (key === "child" ? 1 << 20 : 0), inodes };
    },
  }),
  "changes are what was added, modified and deleted": (right) => ({
    changes: async function* (key) {
      for await (const change of right.changes?.(key) ?? []) if (change.kind !== "deleted") yield change;
    },
  }),
  "a stack of 500 layers": spoil((at) => rmSync(at("file-250"), { force: true })),
};

test("every case that no simpler driver runs has a mutant", () => {
  // Beside storage-vfs are those of the others; these two it is exempt from.
  const exempt = ["usage counts only the snapshot itself", "a stack of 500 layers"];
  const layers = storageSuite.cases.filter(
    ({ needs = [] }) => needs.some((need) => need !== "rebase") && needs.some((need) => ["rebase", "applier", "changes"].includes(need)),
  );
  expect(Object.keys(mutants).sort()).toEqual([...exempt, ...layers.map(({ name }) => name)].sort());
});

test.for(Object.entries(mutants))("a driver gone wrong fails: %s", async ([name, wrong], { skip }) => {
  if (!bed.options.withMounts) return skip("nothing can be mounted here");
  expect((await outcomes(storageSuite, bed.spoiled(wrong), name))[name]).toBe("failed");
});
