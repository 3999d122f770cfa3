import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, expect, test } from "vitest";
import { busyboxImage, noKitchen, useKitchen } from "../support/index.ts";

const here = useKitchen(async () => ({ images: [await busyboxImage()] }));
const logs = (...args: string[]) => here().ramekin(["logs", ...args]);

beforeAll(async () => {
  if (noKitchen !== undefined) return;
  const script = "for i in 1 2 3 4 5; do echo out $i; echo err $i >&2; sleep 0.2; done; printf 'no line break'";
  await here().output(["run", "-d", "--name", "talker", "busybox", "sh", "-c", script]);
  await here().output(["wait", "talker"]);
});

test("[CTR-9] stdout and stderr, each on its own", async () => {
  const result = await logs("talker");
  expect(result.stdout).toBe("out 1\nout 2\nout 3\nout 4\nout 5\nno line break");
  expect(result.stderr).toBe("err 1\nerr 2\nerr 3\nerr 4\nerr 5\n");
});

test("[logs --tail]", async () => {
  const { stdout, stderr } = await logs("--tail", "2", "talker");
  expect(stdout + stderr).toBe("no line breakerr 5\n");
  expect((await logs("-n", "0", "talker")).stdout).toBe("");
  expect((await logs("--tail", "all", "talker")).stdout).toContain("out 1");
  expect((await logs("--tail", "few", "talker")).code).toBe(1);
});

test("[logs --timestamps] each line begins with its time", async () => {
  const { stdout } = await logs("-t", "--tail", "4", "talker");
  expect(stdout).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z out 5$/m);
});

test("[logs --since] [logs --until] by time", async () => {
  const { stdout } = await logs("--timestamps", "talker");
  const third = /^(\S+) out 3$/m.exec(stdout)?.[1] ?? "";
  expect((await logs("--since", third, "talker")).stdout).toMatch(/^out 3\nout 4\nout 5\n/);
  expect((await logs("--until", third, "talker")).stdout).toMatch(/^out 1\nout 2\n(?:out 3\n)?$/);
  expect((await logs("--since", "1h", "talker")).stdout).toContain("out 1");
  expect((await logs("--until", "1h", "talker")).stdout).toBe("");
  expect((await logs("--since", "yesterday", "talker")).code).toBe(1);
});

test("[logs --follow] until the container ends", async () => {
  await here().output(["run", "-d", "--name", "slow", "busybox", "sh", "-c", "echo first; sleep 1; echo last"]);
  const following = here().start(["logs", "--follow", "slow"]);
  await following.saw("first");
  const { stdout, code } = await following.ended;
  expect({ stdout, code }).toEqual({ stdout: "first\nlast\n", code: 0 });
});

test("[logs --follow] interrupted, it ends and the container goes on", async () => {
  await here().output(["run", "-d", "--name", "endless", "busybox", "sh", "-c", "while :; do echo tick; sleep 0.1; done"]);
  const following = here().start(["logs", "-f", "endless"]);
  await following.saw("tick");
  following.child.kill("SIGINT");
  await following.ended;
  expect((await here().inspect("endless")).State.Status).toBe("running");
  await here().output(["rm", "-f", "endless"]);
});

test("[OBS-1] bytes that are no text, and lines of any length, come back as they were", async () => {
  const script = "head -c 100000 /dev/zero | tr '\\0' x; echo; printf '\\377\\376\\n'";
  const direct = await here().ramekin(["run", "--name", "odd", "busybox", "sh", "-c", script]);
  const logged = await logs("odd");
  expect(direct.bytes.byteLength).toBe(100_004);
  expect(logged.bytes.equals(direct.bytes)).toBe(true);
});

test("a foreground run is logged too, and logs of nobody fail", async () => {
  await here().output(["run", "--name", "seen", "busybox", "echo", "seen"]);
  expect((await logs("seen")).stdout).toBe("seen\n");
  expect(await logs("nobody")).toMatchObject({ code: 1, stderr: expect.stringContaining("nobody") });
  await sleep(0);
});
