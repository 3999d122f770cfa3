import { beforeAll, expect, test } from "vitest";
import { busyboxImage, noKitchen, useKitchen } from "../support/index.ts";

const here = useKitchen(async () => ({ images: [await busyboxImage()] }));
const output = (...args: string[]) => here().output(args);
let ids: Record<"created" | "ended" | "runs", string>;

beforeAll(async () => {
  if (noKitchen !== undefined) return;
  const created = await output(
    "create",
    "--name",
    "created",
    "--label",
    "course=starter",
    "busybox",
    "echo",
    "a long command line that gets shortened",
  );
  const ended = await output("run", "-d", "--name", "ended", "--label", "course=main", "busybox", "sh", "-c", "exit 3");
  await output("wait", "ended");
  const runs = await output("run", "-d", "--name", "runs", "--network", "host", "busybox", "sleep", "1000");
  ids = { created, ended, runs };
});

const names = async (...args: string[]) => (await output("ps", ...args, "--format", "{{.Names}}")).split("\n").filter(Boolean);

test("[CTR-1] ps shows what runs, in Docker's columns", async () => {
  const [heading = "", line = "", ...more] = (await output("ps")).split("\n");
  expect(heading.split(/ {2,}/)).toEqual(["CONTAINER ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "PORTS", "NAMES"]);
  expect(line).toMatch(new RegExp(`^${ids.runs.slice(0, 12)} +busybox +"sleep 1000" +.* ago +Up .* +runs$`));
  expect(more).toEqual([]);
});

test("[ps --all] all of them, newest first", async () => {
  expect(await names("--all")).toEqual(["runs", "ended", "created"]);
  expect(await names("-a")).toHaveLength(3);
  const lines = (await output("ps", "-a")).split("\n");
  expect(lines.find((line) => line.endsWith("ended"))).toMatch(/Exited \(3\) .* ago/);
  expect(lines.find((line) => line.endsWith("created"))).toContain("Created");
});

test("[ps --last] [ps --latest]", async () => {
  expect(await names("--last", "2")).toEqual(["runs", "ended"]);
  expect(await names("--latest")).toEqual(["runs"]);
});

test("[ps --quiet] [ps --no-trunc]", async () => {
  expect(await output("ps", "-q")).toBe(ids.runs.slice(0, 12));
  expect(await output("ps", "--quiet", "--no-trunc")).toBe(ids.runs);
  expect(await output("ps", "-a", "--no-trunc")).toContain("a long command line that gets shortened");
});

test.each([
  [["name=nde"], ["ended"]],
  [["status=exited"], ["ended"]],
  [
    ["status=created", "status=running"],
    ["runs", "created"],
  ],
  [["label=course"], ["ended", "created"]],
  [["label=course=main"], ["ended"]],
  [["exited=3"], ["ended"]],
  [["ancestor=busybox"], ["runs", "ended", "created"]],
  [["ancestor=debian"], []],
  [["network=host"], ["runs"]],
  [["before=runs"], ["ended", "created"]],
  [["since=created"], ["runs", "ended"]],
])("[ps --filter] %j", async (filters, expected) => {
  expect(await names("-a", ...filters.flatMap((filter) => ["--filter", filter]))).toEqual(expected);
});

test("[ps --filter] by id, and an unknown filter is refused", async () => {
  expect(await names("-a", "--filter", `id=${ids.ended.slice(0, 10)}`)).toEqual(["ended"]);
  expect((await here().ramekin(["ps", "--filter", "colour=red"])).code).not.toBe(0);
});

test("[ps --format] templates, table and json", async () => {
  expect(await output("ps", "--format", "{{.ID}} {{.Image}} {{.State}}")).toBe(`${ids.runs.slice(0, 12)} busybox running`);
  expect((await output("ps", "--format", "table {{.Names}}\t{{.Status}}")).split("\n")[0]).toMatch(/^NAMES +STATUS$/);
  expect(JSON.parse(await output("ps", "--format", "json"))).toMatchObject({ Names: "runs", State: "running" });
  expect((await here().ramekin(["ps", "--format", "{{.Nonsense"])).code).not.toBe(0);
});

test("[inspect --format] [inspect --type] [container inspect --format] what is asked for", async () => {
  expect(await output("inspect", "--format", "{{.State.Status}} {{.Name}}", "runs")).toMatch(/^running \/?runs$/);
  expect(await output("container", "inspect", "-f", "{{.State.ExitCode}}", "ended")).toBe("3");
  expect(JSON.parse(await output("inspect", "--type", "container", "runs"))[0].Id).toBe(ids.runs);
  expect((await here().ramekin(["inspect", "--type", "image", "runs"])).code).toBe(1);
});

test("an id's unique beginning names a container, an unknown name does not", async () => {
  expect((await here().inspect(ids.ended.slice(0, 6))).Id).toBe(ids.ended);
  const { code, stderr, stdout } = await here().ramekin(["inspect", "nobody"]);
  expect({ code, stderr, stdout }).toEqual({ code: 1, stderr: expect.stringContaining("nobody"), stdout: "[]\n" });
});

test("[ps --size] what a container has written, and that with its image", async () => {
  await output("run", "--name", "writer", "busybox", "sh", "-c", "dd if=/dev/zero of=/data bs=1000 count=300 2>/dev/null");
  const row = await output("ps", "--all", "--size", "--filter", "name=writer", "--format", "{{.Size}}");
  expect(row).toMatch(/^3[01]\dkB \(virtual [\d.]+MB\)$/);
  expect((await output("ps", "--all", "--size")).split("\n")[0]).toMatch(/NAMES +SIZE$/);
  expect((await output("ps", "--all")).split("\n")[0]).not.toContain("SIZE");
  await output("rm", "writer");
});
