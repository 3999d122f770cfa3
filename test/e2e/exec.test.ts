import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { busyboxImage, eventually, noKitchen, noPty, useKitchen } from "../support/index.ts";

const here = useKitchen(async () => ({ images: [await busyboxImage()] }));
const exec = (...args: string[]) => here().ramekin(["exec", ...args]);

beforeAll(async () => {
  if (noKitchen !== undefined) return;
  await here().output(["run", "-d", "--name", "host", "-e", "INHERITED=1", "-w", "/home", "busybox", "sleep", "1000"]);
});

test("[CTR-3] output, stderr and exit code", async () => {
  expect(await exec("host", "sh", "-c", "echo out; echo err >&2; exit 6")).toMatchObject({ code: 6, stdout: "out\n", stderr: "err\n" });
});

test("127 and 126", async () => {
  expect(await exec("host", "no-such-program")).toMatchObject({ code: 127, stderr: expect.stringContaining("no-such-program") });
  expect(await exec("host", "/etc/plain")).toMatchObject({ code: 126, stderr: expect.stringContaining("/etc/plain") });
});

test("it sees the container's processes, environment and directory", async () => {
  const { stdout } = await exec("host", "sh", "-c", "echo $INHERITED; pwd; cat /proc/1/comm; hostname");
  const { Config } = await here().inspect("host");
  expect(stdout).toBe(`1\n/home\nsleep\n${Config.Hostname}\n`);
});

test("[exec --env] [exec --env-file]", async () => {
  const path = join(here().folder, "exec-env");
  await writeFile(path, "FILE=f\nBOTH=file\n");
  const { stdout } = await exec(
    "--env-file",
    path,
    "-e",
    "BOTH=flag",
    "--env",
    "FLAG=g",
    "host",
    "sh",
    "-c",
    "echo $FILE $BOTH $FLAG $INHERITED",
  );
  expect(stdout).toBe("f flag g 1\n");
});

test("[exec --user] [exec --workdir]", async () => {
  const { stdout } = await exec("--user", "cook", "--workdir", "/tmp", "host", "sh", "-c", "id -un; id -Gn; pwd");
  expect(stdout).toBe("cook\nkitchen bakers\n/tmp\n");
});

test("[exec --interactive] stdin", async () => {
  expect((await here().ramekin(["exec", "--interactive", "host", "wc", "-c"], { input: "12345" })).stdout.trim()).toBe("5");
  expect((await here().ramekin(["exec", "host", "wc", "-c"], { input: "12345" })).stdout.trim()).toBe("0");
});

test("[exec --detach] comes back at once and goes on alone", async () => {
  const begin = Date.now();
  expect(await exec("--detach", "host", "sh", "-c", "sleep 1; echo done > /tmp/detached")).toMatchObject({ code: 0 });
  expect(Date.now() - begin).toBeLessThan(1000);
  await eventually(async () => expect((await exec("host", "cat", "/tmp/detached")).stdout).toBe("done\n"));
});

test("[exec --privileged] has all capabilities, and without it the container's", async () => {
  const capabilities = async (...flags: string[]) =>
    /CapEff:\s*(\S+)/.exec((await exec(...flags, "host", "cat", "/proc/self/status")).stdout)?.[1];
  expect(await capabilities()).toBe("00000000a80425fb");
  expect(BigInt(`0x${await capabilities("--privileged")}`)).toBeGreaterThan(0xa80425fbn);
});

test.skipIf(noPty !== undefined)(
  `[exec --tty] [exec --detach-keys] a terminal, its size, and out of it by keys${noPty ? `: ${noPty}` : ""}`,
  async () => {
    const session = await here().terminal(
      ["exec", "-it", "--detach-keys", "ctrl-x,x", "host", "sh"],
      [{ expect: "[#$] $" }, { send: "stty size; tty\r" }, { expect: "30 100\r\n/dev/pts/" }, { send: "\u0018x" }],
      { size: [30, 100] },
    );
    expect(session.code).toBe(0);
  },
);

test("of a container that has ended is refused", async () => {
  await here().output(["run", "--name", "over", "busybox", "true"]);
  expect(await exec("over", "true")).toMatchObject({ code: 1, stderr: expect.stringContaining("not running") });
  expect(await exec("nobody", "true")).toMatchObject({ code: 1, stderr: expect.stringContaining("nobody") });
});

test("it ends with the container: 137", async () => {
  await here().output(["run", "-d", "--name", "shortlived", "busybox", "sleep", "1000"]);
  const running = here().start(["exec", "shortlived", "sh", "-c", "echo in; sleep 1000"]);
  await running.saw("in");
  await here().output(["kill", "shortlived"]);
  expect((await running.ended).code).toBe(137);
});

test("ten at once", async () => {
  const results = await Promise.all(Array.from({ length: 10 }, (_, n) => exec("host", "sh", "-c", `echo ${n}; exit ${n}`)));
  expect(results.map(({ code, stdout }) => [code, stdout])).toEqual(Array.from({ length: 10 }, (_, n) => [n, `${n}\n`]));
});
