import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { busyboxImage, eventually, useKitchen } from "../support/index.ts";

const here = useKitchen(async () => ({ images: [await busyboxImage()] }));
const output = (...args: string[]) => here().output(args);
const status = async (name: string) => (await here().inspect(name)).State.Status;
const counter = ["busybox", "sh", "-c", "i=0; while :; do i=$((i+1)); echo $i > /count; sleep 0.02; done"];
const count = async (name: string) => Number(await output("exec", name, "cat", "/count"));
/** It moves: nothing is frozen. */
const runs = (name: string) =>
  eventually(async () => {
    const before = await count(name);
    expect(await count(name)).toBeGreaterThan(before);
  });

test("[CTR-13] [fork --name] [fork --quiet] a running container is forked, goes on, and neither sees what the other does from then on", async () => {
  await output("run", "-d", "--name", "origin", "--label", "color=blue", "--env", "A=b", ...counter);
  const files =
    "echo one > /file; ln /file /other; rm /etc/hostname.orig 2>/dev/null; rm -r /home; mkdir /home; truncate -s 64M /sparse; chmod 4711 /file";
  await output("exec", "origin", "sh", "-c", files);
  const { code, stdout, stderr } = await here().ramekin(["fork", "--name", "copy", "origin"]);
  expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^[0-9a-f]{64}\n$/) });
  expect(stderr).toMatch(/^forked origin in \d+ ms, \S+ (shared|copied: this file system shares no blocks)\n$/);
  expect(await status("copy")).toBe("created");
  await runs("origin");
  await output("exec", "origin", "sh", "-c", "echo two > /file");
  await output("start", "copy");
  await output("exec", "copy", "sh", "-c", "echo three > /mine");
  expect(await output("exec", "copy", "sh", "-c", "cat /file; stat -c '%h %a' /other; ls /home; stat -c %b /sparse; echo $A")).toBe(
    "one\n2 4711\n0\nb",
  );
  expect((await here().inspect("copy")).Config.Labels).toMatchObject({ color: "blue" });
  expect((await here().ramekin(["exec", "origin", "cat", "/mine"])).code).toBe(1);
  expect(await here().ramekin(["fork", "-q", "origin"])).toMatchObject({ code: 0, stderr: "" });
  await output("rm", "-f", "copy", "origin");
});

test("[CTR-13] a stopped one, a paused one, and one that is not there", async () => {
  await output("run", "--name", "done", "busybox", "sh", "-c", "echo kept > /file");
  await output("fork", "--name", "again", "done");
  expect(await output("diff", "again")).toContain("A /file");
  await output("run", "-d", "--name", "still", ...counter);
  await output("pause", "still");
  await output("fork", "--name", "other", "still");
  expect(await status("still")).toBe("paused");
  expect(await here().ramekin(["fork", "nobody"])).toMatchObject({ code: 1, stderr: expect.stringContaining("no such container: nobody") });
  expect(await here().ramekin(["fork", "--name", "again", "done"])).toMatchObject({ code: 1, stderr: expect.stringContaining("in use") });
  await output("rm", "-f", "done", "again", "still", "other");
});

test("[CTR-13] kill -9 of the command at any moment: the container runs on, nothing stays frozen, no half container is in the way", async () => {
  await output("run", "-d", "--name", "alive", ...counter);
  await output("exec", "alive", "sh", "-c", "dd if=/dev/zero of=/big bs=1M count=48 2>/dev/null");
  const took = await measured(() => output("fork", "-q", "--name", "whole", "alive"));
  for (const part of [0.4, 0.55, 0.7, 0.8, 0.9]) {
    const forking = here().start(["fork", "--name", "torn", "alive"]);
    await sleep(took * part);
    forking.child.kill("SIGKILL");
    await forking.ended;
    await eventually(async () => expect(await status("alive")).toBe("running"));
    await runs("alive");
    await here().ramekin(["rm", "-f", "torn"]);
  }
  expect((await here().ramekin(["fork", "-q", "--name", "torn", "alive"])).code).toBe(0);
  await output("rm", "-f", "alive", "whole", "torn");
});

test("[reset --force] a container has its image's files again; one that runs is refused, or killed", async () => {
  await output("run", "--name", "dirty", "--label", "color=blue", "busybox", "sh", "-c", "touch /mine; rm /bin/cat; ls /");
  expect(await output("diff", "dirty")).toContain("A /mine");
  expect(await output("reset", "dirty")).toBe("dirty");
  expect(await output("diff", "dirty")).toBe("");
  expect(await output("start", "-a", "dirty")).toContain("mine");
  await output("run", "-d", "--name", "busy", ...counter);
  await runs("busy");
  const { code, stdout, stderr } = await here().ramekin(["reset", "busy", "dirty", "nobody"]);
  expect({ code, stdout }).toEqual({ code: 1, stdout: "dirty\n" });
  expect(stderr).toContain("cannot reset container busy: it is running");
  expect(stderr).toContain("no such container: nobody");
  expect(await output("reset", "--force", "busy")).toBe("busy");
  expect(await status("busy")).toBe("exited");
  expect(await output("diff", "busy")).toBe("");
  await output("start", "busy");
  await runs("busy");
  await output("rm", "-f", "busy", "dirty");
});

async function measured(work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await work();
  return performance.now() - begin;
}
