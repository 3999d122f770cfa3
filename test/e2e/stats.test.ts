import { readFile } from "node:fs/promises";
import { beforeAll, expect, test } from "vitest";
import { busyboxImage, command, useKitchen } from "../support/index.ts";

const here = useKitchen(async () => ({ images: [await busyboxImage()] }));
const output = (...args: string[]) => here().output(args);
const fields = ["BlockIO", "CPUPerc", "Container", "ID", "MemPerc", "MemUsage", "Name", "NetIO", "PIDs"];

let busy = "";
beforeAll(async () => {
  busy = await output("run", "-d", "--name", "busy", "--memory", "64m", "busybox", "sh", "-c", "sleep 1000 & while :; do :; done");
  await output("run", "-d", "--name", "idle", "busybox", "sleep", "1000");
  await output("create", "--name", "never", "busybox", "true");
});

const read = async (...args: string[]) =>
  (await output("stats", "--no-stream", "--format", "json", ...args)).split("\n").map((line) => JSON.parse(line) as Record<string, string>);

test("[OBS-3] [stats --no-stream] [stats --format] what the kernel counts, by the names of Docker's fields", async () => {
  const [row = {}] = await read("busy");
  expect(Object.keys(row).sort()).toEqual(fields);
  expect(row).toMatchObject({ Name: "busy", Container: "busy", ID: busy.slice(0, 12), PIDs: "2", NetIO: "0B / 0B" });
  expect(row["MemUsage"]).toMatch(/^[\d.]+[KM]iB \/ 64MiB$/);
  // It never rests, and has one processor at most to itself.
  expect(Number.parseFloat(row["CPUPerc"] ?? "")).toBeGreaterThan(5);
  expect(Number.parseFloat(row["CPUPerc"] ?? "")).toBeLessThan(130);
});

test("[OBS-3] what runs is listed, newest first; [stats --all] [stats --no-trunc] all, with whole ids", async () => {
  expect((await read()).map(({ Name }) => Name)).toEqual(["idle", "busy"]);
  const rows = await read("--all", "--no-trunc");
  expect(rows.map(({ Name }) => Name)).toEqual(["never", "idle", "busy"]);
  expect(rows[2]?.["ID"]).toBe(busy);
  expect(rows[0]).toMatchObject({ CPUPerc: "0.00%", MemUsage: "0B / 0B", PIDs: "0" });
});

test("[OBS-3] the table has Docker's columns", async () => {
  const [head = "", line = ""] = (await output("stats", "--no-stream", "busy")).split("\n");
  expect(head.split(/ {2,}/)).toEqual(["CONTAINER ID", "NAME", "CPU %", "MEM USAGE / LIMIT", "MEM %", "NET I/O", "BLOCK I/O", "PIDS"]);
  expect(line.split(/ {2,}/).slice(0, 2)).toEqual([busy.slice(0, 12), "busy"]);
  expect(await output("stats", "--no-stream", "--format", "table {{.Name}}\t{{.PIDs}}", "busy")).toMatch(/^NAME +PIDS\nbusy +2$/);
});

test("[stats --interval] it goes on until it is interrupted", async () => {
  const running = here().start(["stats", "--interval", "0.2", "--format", "{{.Name}}!{{.PIDs}}", "busy"]);
  await running.saw("busy!2\nbusy!2\nbusy!2\n");
  running.child.kill("SIGINT");
  expect((await running.ended).code).toBe(130);
});

test("[OBS-3] on a terminal the table is drawn anew; [stats --no-reset] or one below the other", async () => {
  const shown = async (...flags: string[]) => {
    const line = ["timeout", "--signal=INT", "3", ...here().command, "stats", "--interval", "0.2", ...flags, "busy"].join(" ");
    return (await command(["script", "--quiet", "--command", line, "/dev/null"], { env: here().env })).stdout;
  };
  const drawn = await shown();
  expect(drawn).toContain("\x1b[2J\x1b[HCONTAINER ID");
  expect(drawn).toContain("\x1b[J\x1b[HCONTAINER ID");
  const listed = await shown("--no-reset");
  expect(listed.match(/CONTAINER ID/g)?.length).toBeGreaterThan(1);
  expect(listed).not.toContain("\x1b[H");
});

test("[OBS-3] the network is that of the container's own namespace", async () => {
  const host = await readFile("/proc/net/dev", "utf8");
  expect(host).toContain("lo:");
  await output("run", "-d", "--name", "outside", "--network", "host", "busybox", "sleep", "1000");
  expect((await read("outside"))[0]?.["NetIO"]).toBe("0B / 0B");
  await output("rm", "-f", "outside");
});

test("[OBS-3] nobody of that name, --all with names, and no time between readings are refused", async () => {
  expect(await here().ramekin(["stats", "--no-stream", "nobody"])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("no such container: nobody"),
  });
  expect((await here().ramekin(["stats", "--all", "busy"])).code).toBe(1);
  expect((await here().ramekin(["stats", "--interval", "0", "busy"])).code).toBe(1);
});
