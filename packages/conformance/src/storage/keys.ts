import assert from "node:assert/strict";
import type { StorageDriver } from "@ramekin/core";
import type { Case } from "../suite.ts";
import { commitEmpty, listed, rejects } from "./expect.ts";

/** What keys are, and what may be done to the snapshots behind them. */
export const keyCases: readonly Case<StorageDriver>[] = [
  {
    name: "commit moves the key to the name",
    async run(driver) {
      await driver.prepare("a");
      await driver.commit("base", "a");
      assert.equal(await driver.stat("a"), undefined);
      assert.equal((await driver.stat("base"))?.kind, "committed");
    },
  },
  {
    name: "commit takes an active key only",
    async run(driver) {
      await commitEmpty(driver, "base");
      await driver.view("view", "base");
      await rejects(driver.commit("new", "absent"), "NOT_FOUND");
      await rejects(driver.commit("new", "view"), "FAILED_PRECONDITION");
      await rejects(driver.commit("new", "base"), "FAILED_PRECONDITION");
      assert.equal(await driver.stat("new"), undefined);
    },
  },
  {
    name: "the loser of two commits keeps its key",
    async run(driver) {
      await driver.prepare("a");
      await driver.prepare("b");
      await driver.commit("layer", "a");
      await rejects(driver.commit("layer", "b"), "ALREADY_EXISTS");
      assert.equal((await driver.stat("b"))?.kind, "active");
      await driver.remove("b");
      assert.equal((await driver.stat("layer"))?.kind, "committed");
    },
  },
  {
    name: "all kinds share one key space",
    async run(driver) {
      await commitEmpty(driver, "base");
      await driver.view("view", "base");
      await rejects(driver.prepare("base"), "ALREADY_EXISTS");
      await rejects(driver.prepare("view"), "ALREADY_EXISTS");
      await rejects(driver.view("view", "base"), "ALREADY_EXISTS");
    },
  },
  {
    name: "only a committed snapshot is a parent",
    async run(driver) {
      await driver.prepare("a");
      await rejects(driver.prepare("b", "a"), "INVALID_ARGUMENT");
      await rejects(driver.view("b", "a"), "INVALID_ARGUMENT");
      await rejects(driver.prepare("b", "absent"), "NOT_FOUND");
    },
  },
  {
    name: "a parent outlives its children",
    async run(driver) {
      await commitEmpty(driver, "base");
      await driver.prepare("b", "base");
      await driver.view("c", "base");
      await rejects(driver.remove("base"), "FAILED_PRECONDITION");
      await driver.remove("b");
      await rejects(driver.remove("base"), "FAILED_PRECONDITION");
      await driver.remove("c");
      await driver.remove("base");
      assert.equal(await driver.stat("base"), undefined);
    },
  },
  {
    name: "a committed child holds its parent",
    async run(driver) {
      await commitEmpty(driver, "base");
      await commitEmpty(driver, "top", "base");
      await rejects(driver.remove("base"), "FAILED_PRECONDITION");
      await driver.remove("top");
      await driver.remove("base");
    },
  },
  {
    name: "remove of an absent key is a no-op",
    async run(driver) {
      await driver.remove("absent");
      await driver.prepare("a");
      await driver.remove("a");
      await driver.remove("a");
    },
  },
  {
    name: "a removed key is free again",
    async run(driver) {
      await commitEmpty(driver, "base");
      await driver.prepare("a", "base", { labels: { life: "first" } });
      await driver.remove("a");
      await driver.prepare("a");
      assert.deepEqual(await driver.stat("a"), { key: "a", kind: "active" });
      await driver.remove("base");
    },
  },
  {
    name: "mounts are those of prepare, and of no unknown or committed key",
    async run(driver) {
      const mounts = await driver.prepare("a");
      assert.deepEqual(await driver.mounts("a"), mounts);
      await commitEmpty(driver, "base");
      const view = await driver.view("v", "base");
      assert.deepEqual(await driver.mounts("v"), view);
      await rejects(driver.mounts("absent"), "NOT_FOUND");
      await rejects(driver.mounts("base"), "FAILED_PRECONDITION");
    },
  },
  {
    name: "list gives every snapshot once, with its parent",
    async run(driver) {
      await commitEmpty(driver, "base");
      await driver.prepare("a", "base", { labels: { owner: "test" } });
      await driver.view("v", "base");
      const found = await listed(driver);
      assert.deepEqual(found.map(({ key, kind, parent, labels }) => [key, kind, parent, labels?.["owner"]]).sort(), [
        ["a", "active", "base", "test"],
        ["base", "committed", undefined, undefined],
        ["v", "view", "base", undefined],
      ]);
    },
  },
  {
    name: "labels stay with a snapshot that is committed",
    async run(driver) {
      await driver.prepare("a", undefined, { labels: { from: "here", "dev.example/x=y": "ü\n" } });
      assert.deepEqual((await driver.stat("a"))?.labels, { from: "here", "dev.example/x=y": "ü\n" });
      await driver.commit("base", "a");
      assert.deepEqual((await driver.stat("base"))?.labels, { from: "here", "dev.example/x=y": "ü\n" });
    },
  },
  {
    name: "a list that is being read survives a commit and a removal",
    async run(driver) {
      for (const key of ["a", "b", "c", "d", "e"]) await driver.prepare(key);
      const keys: string[] = [];
      for await (const { key } of driver.list()) {
        keys.push(key);
        if (keys.length > 1) continue;
        await driver.commit("layer", "c");
        await driver.remove("d");
      }
      const count = (key: string) => keys.filter((other) => other === key).length;
      for (const key of ["a", "b", "e"]) assert.equal(count(key), 1, `${key} is listed ${count(key)} times`);
      assert.ok(count("c") + count("layer") >= 1, "the committed snapshot is listed under neither name");
    },
  },
  {
    name: "any text of 1 to 255 bytes is a key",
    async run(driver) {
      const keys = [
        "sha256:0f/../a",
        "/",
        "..",
        ".",
        "%2e",
        "a b",
        "a\nb",
        "ä",
        "Ä",
        "%c3%a4",
        "=",
        "x".repeat(255),
        `${"/".repeat(254)}x`,
        "/".repeat(255),
      ];
      for (const key of keys) await driver.prepare(key, undefined, { labels: { key } });
      assert.deepEqual((await listed(driver)).map(({ key }) => key).sort(), [...keys].sort());
      for (const key of keys) assert.equal((await driver.stat(key))?.labels?.["key"], key);
      await driver.commit("sha256:../b", "..");
      for (const key of keys) await driver.remove(key);
      assert.deepEqual(
        (await listed(driver)).map(({ key }) => key),
        ["sha256:../b"],
      );
    },
  },
  {
    name: "no text, too much of it and half a character are not keys",
    async run(driver) {
      for (const key of ["", "x".repeat(256), "ä".repeat(128), "\ud800"]) {
        await rejects(driver.prepare(key), "INVALID_ARGUMENT");
        await rejects(driver.view(key), "INVALID_ARGUMENT");
        await driver.prepare("a");
        await rejects(driver.commit(key, "a"), "INVALID_ARGUMENT");
        await driver.remove("a");
      }
      assert.deepEqual(await listed(driver), []);
    },
  },
  {
    name: "a quota is kept or refused",
    async run(driver) {
      const prepared = driver.prepare("a", undefined, { quota: 1 << 20 }).then(
        () => "kept",
        (error: { code?: string; hint?: string }) => `${error.code}, ${error.hint ? "with" : "without"} a hint`,
      );
      const result = await prepared;
      assert.ok(result === "kept" || result === "UNSUPPORTED, with a hint", result);
      assert.equal((await driver.stat("a")) !== undefined, result === "kept");
    },
  },
  {
    name: "what is cancelled before it starts does not happen",
    async run(driver) {
      const signal = AbortSignal.abort();
      await rejects(driver.prepare("a", undefined, { signal }), "CANCELLED");
      await rejects(driver.view("a", undefined, { signal }), "CANCELLED");
      await driver.prepare("b");
      await rejects(driver.commit("layer", "b", { signal }), "CANCELLED");
      assert.deepEqual(
        (await listed(driver)).map(({ key, kind }) => [key, kind]),
        [["b", "active"]],
      );
    },
  },
];
