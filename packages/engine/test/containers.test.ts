import { expect, test } from "vitest";
import { bed, expectError } from "./bed.ts";
import { makeImage } from "./doubles/image.ts";

const busybox = { busybox: makeImage({ config: { Cmd: ["true"] }, layers: ["one"] }) };

test("restart stops what runs, starts what does not, and says so", async () => {
  await using t = await bed({ local: busybox });
  const actions: string[] = [];
  const listening = (async () => {
    for await (const { action } of t.engine.events()) actions.push(action);
  })();
  const container = await t.engine.create({ image: "busybox", command: ["sleep"], name: "again" });
  await container.restart();
  await container.restart({ timeout: 1, stopSignal: "SIGQUIT" });
  await container.kill();
  await container.wait();
  await container.restart();
  expect((await container.inspect()).status).toBe("running");
  expect(t.isolation.calls.filter((call) => call === "start")).toHaveLength(3);
  await container.remove({ force: true });
  await t.engine[Symbol.asyncDispose]();
  await listening;
  expect(actions.filter((action) => ["start", "stop", "restart"].includes(action))).toEqual([
    ...["start", "restart"],
    ...["stop", "start", "restart"],
    ...["start", "restart"],
  ]);
});

test("a restart of what would be removed when it stops is refused, and leaves it running", async () => {
  await using t = await bed({ local: busybox });
  const container = await t.engine.run({ image: "busybox", command: ["sleep"], autoRemove: true, name: "once" });
  await expectError(container.restart(), "UNSUPPORTED", "container once cannot be restarted");
  expect((await container.inspect()).status).toBe("running");
  await container.remove({ force: true });
});
