import { expect, test } from "vitest";
import { bed } from "./bed.ts";
import { makeImage } from "./doubles/image.ts";

const app = makeImage({ config: { Cmd: ["exit", "3"] }, layers: ["one"] });

test("observers hear of what was pulled, created, started, stopped and deleted, once each and in order", async () => {
  const heard: [string, unknown][] = [];
  const note = (hook: string) => (payload: unknown) => void heard.push([hook, payload]);
  const observer = {
    name: "observer",
    provides: {},
    hooks: {
      pulled: note("pulled"),
      created: note("created"),
      started: note("started"),
      stopped: note("stopped"),
      deleted: note("deleted"),
    },
  };
  await using t = await bed({ remote: { "r.test/app:1": app }, plugins: [observer] });
  const { descriptor } = await t.engine.pull("r.test/app:1");
  await t.engine.pull("r.test/app:1"); // nothing comes: nothing to tell
  const container = await t.engine.run({ image: "r.test/app:1" });
  await container.wait();
  await container.wait();
  await container.remove();
  const { id } = container;
  expect(heard).toEqual([
    ["pulled", { reference: expect.objectContaining({ registry: "r.test", repository: "app", tag: "1" }), descriptor }],
    ["created", { id }],
    ["started", { id }],
    ["stopped", { id, exit: expect.objectContaining({ code: 3, exitedAt: expect.any(Date) }) }],
    ["deleted", { id }],
  ]);
  expect(t.warnings).toEqual([]);
});

test("an observer that fails changes nothing, is reported, and hides nothing from the others", async () => {
  const heard: string[] = [];
  const failing = {
    name: "failing",
    provides: {},
    hooks: {
      created: () => {
        throw new Error("no ink");
      },
    },
  };
  const other = { name: "other", provides: {}, hooks: { created: ({ id }: { readonly id: string }) => void heard.push(id) } };
  await using t = await bed({ local: { app }, plugins: [failing, other] });
  await using container = await t.engine.create({ image: "app" });
  expect(heard).toEqual([container.id]);
  expect(t.warnings).toEqual(["failing: hook created failed: no ink"]);
});
