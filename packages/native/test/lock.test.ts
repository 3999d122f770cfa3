import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect, test } from "vitest";
import { lock, tryLock } from "../src/index.ts";
import { scratch } from "./support.ts";

test("an exclusive lock keeps everybody out until it is released", async () => {
  const path = join(scratch(), "lock");
  const held = await lock(path);
  expect(await tryLock(path)).toBeUndefined();
  expect(await tryLock(path, { kind: "shared" })).toBeUndefined();
  await expect(lock(path, { wait: false })).rejects.toMatchObject({ code: "UNAVAILABLE" });
  const next = lock(path);
  await held.release();
  await held.release();
  await (await next).release();
});

test("shared locks share, and keep an exclusive one out", async () => {
  const path = join(scratch(), "lock");
  await using one = await lock(path, { kind: "shared" });
  await using two = await lock(path, { kind: "shared" });
  expect([one, two]).toHaveLength(2);
  expect(await tryLock(path)).toBeUndefined();
});

test("waiting ends with the signal", async () => {
  const path = join(scratch(), "lock");
  await using held = await lock(path);
  expect(held).toBeDefined();
  const waiting = lock(path, { signal: AbortSignal.timeout(50) });
  await expect(waiting).rejects.toMatchObject({ code: "CANCELLED" });
  await expect(lock(path, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "CANCELLED" });
});

test("a lock dies with its holder, and no child inherits it", async () => {
  const path = join(scratch(), "lock");
  const index = new URL("../src/index.ts", import.meta.url).href;
  // The holder leaves a child behind that would keep an inherited descriptor open.
  const program = `import { spawn } from "node:child_process"; const { lock } = await import(${JSON.stringify(index)});
    await lock(${JSON.stringify(path)}); const child = spawn("sleep", ["30"], { detached: true, stdio: "ignore" });
    console.log(child.pid); setInterval(() => {}, 1000);`;
  const holder = spawn(process.execPath, ["--conditions=ramekin-source", "--input-type=module", "-e", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = await once(holder.stdout, "data");
  try {
    expect(await tryLock(path)).toBeUndefined();
    holder.kill("SIGKILL");
    await once(holder, "exit");
    await using held = await lock(path, { signal: AbortSignal.timeout(5000) });
    expect(held).toBeDefined();
  } finally {
    holder.kill("SIGKILL");
    process.kill(Number(line), "SIGKILL");
  }
});

test("a lock needs its directory, and follows no link", async () => {
  const directory = scratch();
  await expect(lock(join(directory, "absent", "lock"))).rejects.toMatchObject({ code: "NOT_FOUND" });
  const { symlinkSync } = await import("node:fs");
  symlinkSync("/etc/passwd", join(directory, "link"));
  await expect(lock(join(directory, "link"))).rejects.toMatchObject({ code: "FAILED_PRECONDITION" });
});
