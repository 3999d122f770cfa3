import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { busyboxImage, mountsBelow, seeded, useKitchen } from "../support/index.ts";

const here = useKitchen(async () => ({ images: [await busyboxImage()] }));
const output = (...args: string[]) => here().output(args);

test("[VOL-1] [CTR-8] killed at any moment of create, cp and removal: everything can be used and removed afterwards", async () => {
  const random = seeded(4711);
  await output("volume", "create", "steady");
  await output("create", "--name", "still", "-v", "steady:/data", "busybox", "true");
  const lines = [
    ["create", "-v", "fresh:/home", "-v", "/nameless", "-v", "steady:/data", "busybox", "true"],
    ["run", "--rm", "-v", "/nameless", "--mount", "type=image,source=busybox,target=/i", "busybox", "true"],
    ["cp", "/bin/busybox", "still:/tmp/copy"],
    ["volume", "rm", "fresh"],
    ["volume", "create", "fresh"],
    ["rm", "-v", "-f", "doomed"],
  ];
  for (let round = 0; round < 24; round++) {
    const args = lines[round % lines.length] ?? [];
    if (args[0] === "rm") await here().ramekin(["create", "--name", "doomed", "-v", "/nameless", "busybox", "true"]);
    const running = here().start(args);
    await sleep(20 + random() * 380);
    running.child.kill("SIGKILL");
    await running.ended;
  }
  // What was not cut short is as it was; the rest goes.
  expect(await output("run", "--rm", "-v", "steady:/data", "-v", "fresh:/home", "busybox", "ls", "/home")).toBe("cook");
  expect((await here().ramekin(["cp", "still:/data", "-"])).code).toBe(0);
  const ids = (await output("ps", "-aq")).split("\n").filter((id) => id !== "");
  await output("rm", "-f", "-v", ...ids);
  await output("system", "prune", "-f", "--volumes");
  await output("volume", "rm", "steady", "fresh");
  expect((await readdir(join(here().root, "volumes"))).filter((name) => name !== ".lock" && !name.startsWith(".new-"))).toEqual([]);
  expect(await mountsBelow(here().folder)).toEqual([]);
}, 120_000);
