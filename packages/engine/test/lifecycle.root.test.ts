import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Resources } from "@ramekin/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Container, ContainerOptions } from "../src/api.ts";
import { expectError, textOf } from "./bed.ts";
import { cannotRun, nothingLeft, realBed } from "./real.ts";

const reason = await cannotRun();
if (reason !== undefined) console.warn(`lifecycle on the real kernel skipped: ${reason}`);

const drivers = [
  { storage: "overlayfs", isolation: "linux" },
  { storage: "vfs", isolation: "oci" },
];

describe.skipIf(reason !== undefined).for(drivers)("$storage and $isolation", (chosen) => {
  let t: Awaited<ReturnType<typeof realBed>>;
  beforeAll(async () => {
    t = await realBed({ drivers: chosen });
  });
  afterAll(async () => {
    await t[Symbol.asyncDispose]();
    expect(t.warnings).toEqual([]);
  });
  const run = (script: string, options: Partial<ContainerOptions> = {}) =>
    t.engine.run({ image: "busybox", command: ["sh", "-c", script], ...options });
  /** What it prints; removed afterwards. */
  const output = async (script: string, options: Partial<ContainerOptions> = {}) => {
    await using container = await run(script, options);
    return await textOf(container.stdout);
  };

  test("runs, tells stdout from stderr, keeps status and log, and leaves nothing", async () => {
    const container = await run("echo out; echo err >&2; exit 3");
    expect(await Promise.all([textOf(container.stdout), textOf(container.stderr)])).toEqual(["out\n", "err\n"]);
    expect(await container.wait()).toMatchObject({ code: 3 });
    const lines: string[] = [];
    for await (const { stream, line } of container.logs({ follow: true })) lines.push(`${stream} ${Buffer.from(line)}`);
    expect(lines.sort()).toEqual(["stderr err", "stdout out"]);
    expect((await container.inspect()).status).toBe("exited");
    await container.remove();
    expect(await t.leftovers()).toEqual(nothingLeft);
  });

  test("the container is what was asked for", async () => {
    const bound = join(t.directory, "bound");
    await mkdir(bound, { recursive: true });
    await writeFile(join(bound, "file"), "from the host\n");
    const script =
      'id -un; pwd; hostname; echo "$FROM_IMAGE $MINE $HOME"; cat /mnt/file; touch /mnt/x 2>/dev/null || echo read-only; df /scratch | grep -c tmpfs; grep -c . /etc/hosts; ls /sys/class/net';
    const text = await output(script, {
      user: "www",
      workdir: "/made/up",
      hostname: "pantry",
      env: { MINE: "too" },
      mounts: [
        { type: "bind", source: bound, target: "/mnt", readOnly: true },
        { type: "tmpfs", target: "/scratch", size: 1 << 20 },
      ],
    });
    expect(text.split("\n").slice(0, 7)).toEqual(["www", "/made/up", "pantry", "yes too /home/www", "from the host", "read-only", "1"]);
    expect(text.trim().split("\n").at(-1)).toBe("lo");
  });

  test("the host's network is the host's", async () => {
    const text = await output("cat /proc/net/dev; hostname", { network: "host" });
    const interfaces = (await readFile("/proc/net/dev", "utf8"))
      .split("\n")
      .slice(2, -1)
      .map((line) => line.split(":")[0]?.trim());
    for (const name of interfaces) expect(text).toContain(`${name}:`);
    expect(text.trim().split("\n").at(-1)).toBe((await readFile("/proc/sys/kernel/hostname", "utf8")).trim());
  });

  test("another engine sees, enters, follows, stops and removes what this one has started", async () => {
    const container = await t.engine.create({
      image: "busybox",
      command: ["sh", "-c", "trap 'echo bye; exit 5' TERM; echo ready; while :; do sleep 0.05; done"],
      name: "shared",
    });
    await container.start();
    await using other = await t.open();
    const found = await other.container("shared");
    expect((await other.containers()).map(({ name, status }) => [name, status])).toEqual([["shared", "running"]]);
    await using process = await found.exec(["sh", "-c", "echo in $(hostname); exit 4"]);
    expect(await textOf(process.stdout)).toBe(`in ${container.id.slice(0, 12)}\n`);
    expect((await process.wait()).code).toBe(4);
    const logged = linesOf(found);
    expect((await found.stop()).code).toBe(5);
    expect(await logged).toEqual(["ready", "bye"]);
    expect((await container.wait()).code).toBe(5);
    await found.remove();
    expect(await t.leftovers()).toEqual(nothingLeft);
  });

  test("autoRemove: the status arrives, everything else goes by itself", async () => {
    const container = await run("exit 9", { autoRemove: true, name: "brief" });
    expect((await container.wait()).code).toBe(9);
    await expect
      .poll(() => t.leftovers().then(({ run: _, ...rest }) => rest), { timeout: 5000 })
      .toEqual({ containers: [], names: [], mounts: [] });
  });

  test("what is not there is 127, what is no program 126", async () => {
    for (const [program, code, status] of [
      ["/no/such", "COMMAND_NOT_FOUND", 127],
      ["/etc/plain", "COMMAND_NOT_EXECUTABLE", 126],
    ] as const) {
      const container = await t.engine.create({ image: "busybox", command: [program] });
      await expectError(container.start(), code);
      expect(await container.inspect()).toMatchObject({ status: "exited", exit: { code: status } });
      await container.remove();
    }
    await expectError(run("", { entrypoint: ["/no/such"], autoRemove: true }), "COMMAND_NOT_FOUND");
    expect(await t.leftovers()).toEqual(nothingLeft);
  });

  test("stdin goes in, and ends", async () => {
    await using container = await t.engine.create({ image: "busybox", command: ["cat"], stdin: "once" });
    await container.start({ attach: true });
    const attachment = await container.attach();
    const writer = attachment.stdin.getWriter();
    await writer.write(Buffer.from("round trip"));
    await writer.close();
    expect(await textOf(attachment.stdout)).toBe("round trip");
    expect((await container.wait()).code).toBe(0);
  });

  test("a terminal has its size", async () => {
    expect(await output("stty size; test -t 0 && echo tty; echo $TERM", { tty: true, windowSize: { rows: 31, columns: 97 } })).toBe(
      "31 97\r\ntty\r\nxterm\r\n",
    );
  });

  test("limits are kept, and seen to be", async () => {
    const resources: Resources = { memory: { limit: 32 << 20, swap: 32 << 20 }, pids: { limit: 16 } };
    await using container = await run("sleep 60", { resources });
    const { memory, pids } = await container.stats();
    expect([memory.limit, pids.limit]).toEqual([32 << 20, 16]);
    await using greedy = await run("tail /dev/zero", { resources });
    expect(await greedy.wait()).toMatchObject({ code: 137, oomKilled: true });
  });

  test("paused is paused, and can be stopped", async () => {
    await using container = await run("while :; do sleep 0.02; echo x; done");
    await container.pause();
    expect((await container.inspect()).status).toBe("paused");
    await container.unpause();
    expect((await container.inspect()).status).toBe("running");
    await container.pause();
    expect((await container.stop({ timeout: 1 })).signal).toMatch(/SIGTERM|SIGKILL/);
  });

  test("an exited container starts again, with its files", async () => {
    await using container = await run("echo x >> /count; wc -l < /count");
    await container.wait();
    await container.start();
    await container.wait();
    expect(await linesOf(container)).toEqual(["1", "2"]);
  });

  test("a small init reaps and passes signals on", async () => {
    await using container = await run("cat /proc/1/comm; sleep 60", { init: true });
    await expect.poll(() => linesOf(container, false)).toEqual([expect.stringContaining("ramekin-init")]);
    expect((await container.stop({ timeout: 20 })).code).toBe(143);
  });

  test("a read-only root is read-only", async () => {
    expect(await output("touch /x 2>/dev/null || echo refused", { readOnly: true })).toBe("refused\n");
  });

  test("when the supervisor is killed, the container has exited with 137, and can be removed", async () => {
    const container = await run("sleep 60");
    const state = JSON.parse(await readFile(join(t.directory, "root", "containers", container.id, "state.json"), "utf8"));
    process.kill(state.shim.pid, "SIGKILL");
    await expect.poll(() => container.inspect().then(({ status }) => status)).toBe("exited");
    expect((await container.inspect()).exit).toMatchObject({ code: 137, error: "monitor lost" });
    // Killed, at least: whoever inherits it may take its time to reap it.
    expect(existsSync(`/proc/${state.pid}`) ? await readFile(`/proc/${state.pid}/status`, "utf8") : "State:\tZ").toMatch(/State:\t[ZX]/);
    await container.remove();
    expect(await t.leftovers()).toEqual(nothingLeft);
  });

  test("a dozen at once", async () => {
    const texts = await Promise.all(Array.from({ length: 12 }, (_, n) => output(`echo ${n}`)));
    expect(texts).toEqual(Array.from({ length: 12 }, (_, n) => `${n}\n`));
    expect(await t.leftovers()).toEqual(nothingLeft);
  });

  test("an image that is unpacked by two at once is there once", async () => {
    await using other = await t.open();
    const [one, two] = await Promise.all([t.engine.unpack("busybox"), other.unpack("busybox")]);
    expect(one).toBe(two);
  });
});

async function linesOf(container: Container, follow = true): Promise<string[]> {
  const lines: string[] = [];
  for await (const { line } of container.logs({ follow })) lines.push(Buffer.from(line).toString());
  return lines;
}
