import {
  chmodSync,
  chownSync,
  closeSync,
  copyFileSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { outcomes, type SuiteOptions, storageSuite, type Wrong } from "@ramekin/conformance";
import type { ClonedSnapshot, Mount, StorageDriver } from "@ramekin/core";
import { expect, test, vi } from "vitest";
import { bed, skip } from "./bed.ts";

vi.setConfig({ testTimeout: 120_000 });

type Mutant = Wrong<StorageDriver> | { readonly program: string };

const filesOf = (root: string, key: string) => join(root, "l", readlinkSync(join(root, "keys", key)), "fs");

/** Commits well, and then does something to the layer's files. */
const spoil =
  (damage: (at: (path: string) => string) => void, only?: string): Wrong<StorageDriver> =>
  (right, root) => ({
    commit: async (name, key) => {
      await right.commit(name, key);
      if (only === undefined || name === only) damage((path) => join(filesOf(root, name), path));
    },
  });

const cloned = (mounts: readonly Mount[]): ClonedSnapshot => ({ mounts, bytes: 99, shared: false });

/** The same bytes in a new file: links, attributes and owners are lost. */
function rewrite(path: string): void {
  copyFileSync(path, `${path}.new`);
  renameSync(`${path}.new`, path);
}

/** For each case with files, by name, one thing done wrong on top of a right driver. */
const mutants: Record<string, Mutant> = {
  "usage follows what is written, links counted once": (right) => ({
    usage: async (key) => ({ size: (await right.usage?.(key))?.size ?? 0, inodes: 1 }),
  }),
  "a clone has the same parent and a key of its own": (right) => ({
    clone: async (_, newKey, options) => cloned(await right.prepare(newKey, undefined, options)),
  }),
  "a clone begins with the same files and goes its own way": (right) => ({
    clone: async (_, newKey) => cloned(await right.prepare(newKey, "base")),
  }),
  "teardown done elsewhere is remove": (right) => ({ teardown: async (key) => (await right.teardown?.(key))?.slice(0, 1) ?? [] }),
  "teardown broken off leaves no snapshot, and garbage that cleanup finds": () => ({ cleanup: async () => {} }),
  "cleanup leaves all snapshots alone": (right) => ({ cleanup: () => right.remove("v") }),
  "children see their parent's files, and nobody else sees theirs": (right) => ({ prepare: (key) => right.prepare(key) }),
  "two active snapshots of one parent do not see each other": (right) => ({
    prepare: async (key, parent) => {
      const mounts = await right.prepare(key, parent);
      return key === "two" ? right.mounts("one") : mounts;
    },
  }),
  "what was written is there at the next mount": (right, root) => ({
    mounts: async (key) => {
      rmSync(join(filesOf(root, key), "file"));
      return right.mounts(key);
    },
  }),
  "a deleted file stays deleted": spoil((at) => writeFileSync(at("a"), ""), "top"),
  "a deleted directory stays deleted": spoil((at) => mkdirSync(at("d")), "top"),
  "a directory deleted and made again shows nothing of the old one": spoil((at) => writeFileSync(at("d/old"), ""), "top"),
  "a file becomes a directory, and a directory a file": spoil((at) => rmSync(at("file"), { recursive: true }), "top"),
  "a file from below that is changed keeps all else": spoil((at) => chownSync(at("file"), 0, 0), "top"),
  "only the mode or the owner of a file from below changes": spoil((at) => chmodSync(at("mode"), 0o600), "top"),
  "a file from below is renamed": spoil((at) => writeFileSync(at("from"), ""), "top"),
  "a directory from below is renamed": spoil((at) => rmSync(at("to/sub/file")), "top"),
  "the root directory keeps its mode and its owner": spoil((at) => chmodSync(at("."), 0o755), "top"),
  "a link from below is replaced, and its target left alone": spoil((at) => writeFileSync(at("target"), "file now"), "top"),
  "a stack of 120 layers": spoil((at) => rmSync(at("file-60"), { force: true })),
  "hard links are one file": spoil((at) => rewrite(at("two"))),
  "attributes are kept": spoil((at) => rewrite(at("file"))),
  "capabilities of a program are kept": spoil((at) => rewrite(at("ping"))),
  "devices and fifos are kept": spoil((at) => {
    rmSync(at("fifo"));
    writeFileSync(at("fifo"), "", { mode: 0o620 });
  }),
  "setuid, setgid and sticky are kept": spoil((at) => chmodSync(at("su"), 0o755)),
  "owners and times are kept": spoil((at) => lutimesSync(at("link"), 0, 0)),
  "symbolic links are kept as they are": spoil((at) => {
    rmSync(at("absolute"));
    symlinkSync("etc/passwd", at("absolute"));
  }),
  "holes take no space": spoil((at) => {
    const file = openSync(at("sparse"), "r+");
    writeSync(file, Buffer.alloc(2 << 20, "x"), 0, 2 << 20, 1 << 20);
    closeSync(file);
  }),
  "names may be long, deep and odd": spoil((at) => rmSync(at("new\nline"))),
  "large files are whole": spoil((at) => truncateSync(at("large"), readFileSync(at("large")).length - 1)),
  "a view is read-only": (right) => ({
    view: async (key, parent) => (await right.view(key, parent)).map((mount) => ({ ...mount, options: ["rbind", "rw"] })),
  }),
  "an active snapshot may be read-only": (right) => ({ prepare: (key, parent) => right.prepare(key, parent) }),
  "a volatile snapshot is as good as another until the machine stops": spoil((at) => rmSync(at("file")), "top"),
  "another instance sees the same": (right) => ({
    prepare: (key, parent, { labels: _, ...options } = {}) => right.prepare(key, parent, options),
  }),
  "remove leaves nothing": (right, root) => ({
    remove: async (key) => {
      await right.remove(key);
      writeFileSync(join(root, `leftover-${key}`), "");
    },
  }),
  "what fails leaves nothing": (right, root) => ({
    commit: async (name, key) => {
      writeFileSync(join(root, "leftover"), "");
      await right.commit(name, key);
      rmSync(join(root, "leftover"));
    },
  }),
  "racing unpackers agree on one layer": { program: "both win" },
  "many processes work side by side": { program: "removes nothing" },
  "a process killed at any step of prepare leaves what was, or what was asked for": { program: "litters" },
  "a process killed at any step of view leaves what was, or what was asked for": { program: "litters" },
  "a process killed at any step of commit leaves what was, or what was asked for": { program: "litters" },
  "a process killed at any step of remove leaves what was, or what was asked for": { program: "litters" },
  "a process killed at any step of clone leaves what was, or what was asked for": { program: "litters" },
  "a process killed at any moment leaves a store that works": (right, root) => ({
    cleanup: async () => {
      await right.cleanup?.();
      writeFileSync(join(root, "leftover"), "");
    },
  }),
};

const mountable = bed.options.withMounts !== undefined;

function optionsOf(mutant: Mutant): SuiteOptions<StorageDriver> {
  if (typeof mutant === "function") return bed.spoiled(mutant);
  const [command, condition, , root] = [0, 1, 2, 3];
  const program = (driver: StorageDriver) => {
    const argv = bed.options.program?.(driver) ?? [];
    const wrong = fileURLToPath(new URL("./serve-wrong.ts", import.meta.url));
    return [argv[command] ?? "", argv[condition] ?? "", wrong, argv[root] ?? "", mutant.program] as const;
  };
  return { ...bed.options, program };
}

test("every case that this driver is the simplest to run has a mutant", () => {
  // Without files: storage-memory's. With what only layers can do: storage-overlayfs's.
  const here = storageSuite.cases.filter(
    ({ name, needs = [] }) =>
      !(name in skip) && needs.some((need) => need !== "rebase") && !needs.some((need) => ["rebase", "applier", "changes"].includes(need)),
  );
  expect(Object.keys(mutants).sort()).toEqual(here.map(({ name }) => name).sort());
});

test.for(Object.entries(mutants))("a driver gone wrong fails: %s", async ([name, mutant], { skip }) => {
  const needs: readonly string[] = storageSuite.cases.find((known) => known.name === name)?.needs ?? [];
  if (needs.includes("mountable") && !mountable) return skip("nothing can be mounted here");
  expect((await outcomes(storageSuite, optionsOf(mutant), name))[name]).toBe("failed");
});
