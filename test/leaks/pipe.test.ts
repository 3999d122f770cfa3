import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { busyboxImage, processesOf, useKitchen } from "../support/index.ts";

const here = useKitchen(async () => ({ images: [await busyboxImage()] }));
const mostOf = async (pid: number) =>
  Number(/^VmHWM:\s*(\d+) kB/m.exec(await readFile(`/proc/${pid}/status`, "utf8").catch(() => ""))?.[1] ?? 0);

test("[CTR-4] a gigabyte goes in and comes out again, and nobody needs memory for it", async () => {
  const command = [...here().command, "run", "--rm", "-i", "--log-driver", "none", "busybox", "cat"].map((word) => `'${word}'`).join(" ");
  const child = spawn("sh", ["-c", `head -c 1073741824 /dev/zero | ${command} | wc -c`], { env: { ...process.env, ...here().env } });
  let counted = "";
  child.stdout.on("data", (data) => {
    counted += String(data);
  });
  const ended = new Promise<boolean>((resolve) => child.once("close", () => resolve(true)));
  const most = { supervisor: 0, command: 0 };
  for (let over = false; !over; over = await Promise.race([ended, new Promise<false>((done) => setTimeout(() => done(false), 100))])) {
    for (const line of await processesOf(here().folder)) {
      if (line.includes("ramekin-shim")) most.supervisor = Math.max(most.supervisor, await mostOf(Number.parseInt(line, 10)));
    }
    for (const pid of await childrenOf(child.pid ?? 0)) most.command = Math.max(most.command, await mostOf(pid));
  }
  expect(counted.trim()).toBe("1073741824");
  expect(most.supervisor).toBeGreaterThan(0);
  expect(most.supervisor).toBeLessThan(16_000);
  // Node itself takes some 100 MB of it
  expect(most.command).toBeLessThan(300_000);
}, 180_000);

async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8").catch(() => "");
  return text
    .split(" ")
    .filter((word) => word !== "")
    .map(Number);
}
