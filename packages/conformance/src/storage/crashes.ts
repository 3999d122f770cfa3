import assert from "node:assert/strict";
import { isRamekinError, type StorageDriver } from "@ramekin/core";
import type { Case } from "../suite.ts";
import { commitEmpty, listed, rejects } from "./expect.ts";
import { type Elsewhere, elsewhere, together } from "./process.ts";

/** Processes that end in the middle of things, by SIGKILL. */
export const crashCases: readonly Case<StorageDriver>[] = [
  ...(["prepare", "view", "commit", "remove", "clone"] as const).map((call) => killedDuring(call)),
  {
    name: "a process killed at any moment leaves a store that works",
    needs: ["program", "cleanup", "footprint"],
    async run(driver, tools) {
      await commitEmpty(driver, "base");
      const before = await tools.footprint();
      for (let round = 0; round < 6; round++) {
        await together(tools, 1, async ([other]) => {
          const work = (async () => {
            for (let index = 0; ; index++) {
              const key = `${round}-${index}`;
              await other?.driver.prepare(key, "base");
              await other?.driver.commit(`layer-${key}`, key);
              await other?.driver.remove(`layer-${key}`);
            }
          })();
          setTimeout(() => other?.kill(), 20 + 37 * round);
          await rejects(work, "UNAVAILABLE");
        });
        await driver.prepare(`after-${round}`, "base");
        await removeAllBut(driver, "base");
        await driver.cleanup?.();
        assert.equal(await tools.footprint(), before);
      }
    },
  },
];

async function removeAllBut(driver: StorageDriver, kept: string): Promise<void> {
  for (const { key } of await listed(driver)) if (key !== kept) await driver.remove(key);
}

type KilledCall = "prepare" | "view" | "commit" | "remove" | "clone";

/** For n = 1, 2, …: another process dies before its nth step, until it gets through. */
function killedDuring(call: KilledCall): Case<StorageDriver> {
  return {
    name: `a process killed at any step of ${call} leaves what was, or what was asked for`,
    needs: ["program", "cleanup", "footprint", ...(call === "clone" ? (["clone"] as const) : [])],
    async run(driver, tools) {
      await commitEmpty(driver, "base");
      // The next process starts while the last one's remains are looked at.
      let next = elsewhere(tools.program());
      try {
        for (let step = 1, through = false; !through; step++) {
          assert.ok(step < 100, `${call} does not end`);
          await using other = await next;
          next = elsewhere(tools.program());
          const before = await tools.footprint();
          if (call !== "prepare" && call !== "view") await driver.prepare("key", "base");
          await other.dieBefore(step);
          through = await survives(other, call);
          await check(driver, call, step, through);
          assert.equal(await tools.footprint(), before, `before step ${step}`);
        }
      } finally {
        await (await next)[Symbol.asyncDispose]();
      }
      await driver.remove("base");
    },
  };
}

/** True when the call came to its end, false when the process did. */
async function survives({ driver }: Elsewhere, call: KilledCall): Promise<boolean> {
  const calls = {
    prepare: () => driver.prepare("key", "base"),
    view: () => driver.view("key", "base"),
    commit: () => driver.commit("layer", "key"),
    remove: () => driver.remove("key"),
    clone: () => driver.clone?.("key", "copy"),
  };
  try {
    await calls[call]();
    return true;
  } catch (error) {
    assert.ok(isRamekinError(error, "UNAVAILABLE"), String(error));
    return false;
  }
}

async function check(driver: StorageDriver, call: KilledCall, step: number, through: boolean): Promise<void> {
  const found = (await listed(driver))
    .map(({ key, kind }) => `${kind} ${key}`)
    .filter((entry) => entry !== "committed base")
    .sort();
  const allowed = {
    prepare: [[], ["active key"]],
    view: [[], ["view key"]],
    commit: [["active key"], ["committed layer"]],
    remove: [["active key"], []],
    clone: [["active key"], ["active copy", "active key"]],
  }[call];
  assert.ok(
    allowed.some((entries) => entries.join() === found.join()),
    `before step ${step}: ${found.join()}`,
  );
  if (through) assert.deepEqual(found, allowed[1]);

  // The key is to be had, in use or not, before anybody has cleaned up; then nothing is left, and nothing holds the parent.
  await removeAllBut(driver, "base");
  for (const key of ["key", "copy", "layer"]) await driver.prepare(key, "base");
  await removeAllBut(driver, "base");
  await driver.cleanup?.();
}
