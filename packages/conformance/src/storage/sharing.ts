import assert from "node:assert/strict";
import type { StorageDriver } from "@ramekin/core";
import type { Case } from "../suite.ts";
import { commitEmpty, listed, rejects, removeAll } from "./expect.ts";
import { together } from "./process.ts";

/** Fulfilled how often; all others must have rejected with one of the codes. */
async function winners(attempts: readonly Promise<unknown>[], ...codes: readonly string[]): Promise<number> {
  const results = await Promise.allSettled(attempts);
  for (const result of results) if (result.status === "rejected") assert.ok(codes.includes(result.reason?.code), String(result.reason));
  return results.filter(({ status }) => status === "fulfilled").length;
}

/** Many at once, and one after the other. */
export const sharingCases: readonly Case<StorageDriver>[] = [
  {
    name: "of many commits to one name, one wins",
    async run(driver) {
      const keys = Array.from({ length: 8 }, (_, index) => `key-${index}`);
      await Promise.all(keys.map((key) => driver.prepare(key)));
      assert.equal(
        await winners(
          keys.map((key) => driver.commit("layer", key)),
          "ALREADY_EXISTS",
        ),
        1,
      );
      assert.equal((await listed(driver)).length, 8);
      await Promise.all(keys.map((key) => driver.remove(key)));
      assert.deepEqual(
        (await listed(driver)).map(({ key }) => key),
        ["layer"],
      );
    },
  },
  {
    name: "of many who prepare one key, one gets it",
    async run(driver) {
      await commitEmpty(driver, "base");
      assert.equal(
        await winners(
          Array.from({ length: 8 }, (_, index) => driver.prepare("a", index % 2 ? "base" : undefined)),
          "ALREADY_EXISTS",
        ),
        1,
      );
      assert.equal((await listed(driver)).length, 2);
    },
  },
  {
    name: "a parent is removed or has a child, not both",
    async run(driver) {
      for (let round = 0; round < 10; round++) {
        await commitEmpty(driver, "base");
        const starters = [() => driver.prepare("child", "base"), () => driver.remove("base")];
        const race = (round % 2 ? starters : starters.reverse()).map((start): Promise<unknown> => start());
        assert.equal(await winners(race, "NOT_FOUND", "FAILED_PRECONDITION"), 1);
        assert.equal((await driver.stat("child")) === undefined, (await driver.stat("base")) === undefined);
        await removeAll(driver);
      }
    },
  },
  {
    name: "another instance sees the same",
    needs: ["reopen"],
    async run(driver, { reopen }) {
      await commitEmpty(driver, "base");
      const mounts = await driver.prepare("a", "base", { labels: { x: "y" }, readOnly: true, volatile: true });
      const second = await reopen();
      assert.deepEqual(await second.stat("a"), { key: "a", kind: "active", parent: "base", labels: { x: "y" } });
      assert.deepEqual(await second.mounts("a"), mounts);
      await rejects(second.remove("base"), "FAILED_PRECONDITION");
      await second.remove("a");
      assert.equal(await driver.stat("a"), undefined);
    },
  },
  {
    name: "remove leaves nothing",
    needs: ["footprint"],
    async run(driver, { footprint }) {
      await commitEmpty(driver, "warm");
      await driver.remove("warm");
      const before = await footprint();
      await commitEmpty(driver, "base");
      await commitEmpty(driver, "top", "base");
      await driver.prepare("a", "top");
      await driver.view("v", "base");
      assert.ok((await footprint()) > before);
      await removeAll(driver);
      assert.equal(await footprint(), before);
    },
  },
  {
    name: "what fails leaves nothing",
    needs: ["footprint"],
    async run(driver, { footprint }) {
      await commitEmpty(driver, "base");
      await driver.prepare("a", "base");
      const before = await footprint();
      await rejects(driver.prepare("a", "base"), "ALREADY_EXISTS");
      await rejects(driver.prepare("b", "a"), "INVALID_ARGUMENT");
      await rejects(driver.commit("base", "a"), "ALREADY_EXISTS");
      await rejects(driver.remove("base"), "FAILED_PRECONDITION");
      assert.equal(await footprint(), before);
    },
  },
  {
    name: "racing unpackers agree on one layer",
    needs: ["program"],
    run: (driver, tools) =>
      together(tools, 2, async (others) => {
        for (let layer = 0; layer < 10; layer++) {
          const parent = layer > 0 ? `layer-${layer - 1}` : undefined;
          const attempts = others.map(async (other, index) => {
            await other.driver.prepare(`unpack-${index}`, parent);
            await other.driver.commit(`layer-${layer}`, `unpack-${index}`);
          });
          assert.equal(await winners(attempts, "ALREADY_EXISTS"), 1);
          for (const [index, other] of others.entries()) await other.driver.remove(`unpack-${index}`);
        }
        assert.deepEqual(
          (await listed(driver)).map(({ key, parent }) => [key, parent]).sort(),
          Array.from({ length: 10 }, (_, layer) => [`layer-${layer}`, layer > 0 ? `layer-${layer - 1}` : undefined]),
        );
      }),
  },
  {
    name: "many processes work side by side",
    needs: ["program"],
    async run(driver, tools) {
      await commitEmpty(driver, "base");
      await together(tools, 4, async (others) => {
        const work = others.flatMap((other, process) =>
          Array.from({ length: 8 }, async (_, index) => {
            const key = `${process}-${index}`;
            await other.driver.prepare(key, "base");
            if (index % 2) await other.driver.commit(`layer-${key}`, key);
            if (index % 4 === 0) await other.driver.remove(key);
            await listed(driver);
          }),
        );
        await Promise.all([...work, driver.cleanup?.()]);
      });
      const found = await listed(driver);
      assert.equal(found.length, 1 + 4 * 6);
      assert.ok(
        found.every(
          ({ key, parent, kind }) => key === "base" || (parent === "base" && kind === (key.startsWith("layer-") ? "committed" : "active")),
        ),
      );
    },
  },
];
