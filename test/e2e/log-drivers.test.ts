import { readdir, readFile } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { busyboxImage, eventually, type Inspected, useKitchen } from "../support/index.ts";

const here = useKitchen(async () => ({ images: [await busyboxImage()] }));
const ramekin = (...args: string[]) => here().ramekin(args);
const output = (...args: string[]) => here().output(args);
const logPath = (name: string) => output("inspect", "--format", "{{.LogPath}}", name);
/** To its end. */
const run = (name: string, script: string, ...flags: string[]) =>
  output("run", "-d", "--name", name, "--wait", "exit", ...flags, "busybox", "sh", "-c", script);

test("[OBS-1] [run --log-driver] local keeps every byte, in fewer of them; none and passthrough keep nothing", async () => {
  const script = "printf 'err\\377\\n' >&2; sleep 0.2; seq 1 20000; printf end";
  await run("as-json", script);
  await run("as-local", script, "--log-driver", "local");
  const [json, local] = [await ramekin("logs", "as-json"), await ramekin("logs", "as-local")];
  expect(local.bytes.equals(json.bytes)).toBe(true);
  expect([local.stderr, json.stderr]).toEqual(["err\ufffd\n", "err\ufffd\n"]);
  expect(await output("logs", "--tail", "2", "as-local")).toBe("20000\nend");
  const [jsonText, localText] = await Promise.all([readFile(await logPath("as-json")), readFile(await logPath("as-local"))]);
  expect(localText.length).toBeLessThan(jsonText.length / 3);
  for (const driver of ["none", "passthrough"]) {
    expect(await output("run", "--name", `as-${driver}`, "--log-driver", driver, "busybox", "echo", "seen")).toBe("seen");
    expect(await logPath(`as-${driver}`)).toBe("");
    expect(await ramekin("logs", `as-${driver}`)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`log driver ${driver} does not`),
    });
  }
  await output("rm", "as-json", "as-local", "as-none", "as-passthrough");
});

test("[OBS-1] [CTR-9] [run --log-opt] rotation leaves as many files as were asked for, and logs reads them in order, also while they turn", async () => {
  const rotating = ["--log-opt", "max-size=20k", "--log-opt", "max-file=3"];
  for (const driver of ["json-file", "local"]) {
    const script = "i=0; while [ $i -lt 3000 ]; do i=$((i+1)); echo line $i; done";
    await output("create", "--name", "turning", "--log-driver", driver, ...rotating, "busybox", "sh", "-c", script);
    const following = here().start(["start", "-a", "turning"]);
    await following.ended;
    const path = await logPath("turning");
    const names = (await readdir(dirname(path))).filter((name) => name.includes("-json.log") || name.includes("-local.log"));
    expect(names.length).toBe(3);
    for (const name of names) expect((await readFile(`${dirname(path)}/${name}`)).length).toBeLessThanOrEqual(20_000);
    const lines = (await output("logs", "turning")).split("\n").map((line) => Number(line.split(" ")[1]));
    expect(lines.at(-1)).toBe(3000);
    expect(lines).toEqual(Array.from(lines, (_, index) => 3000 - lines.length + 1 + index));
    expect(lines.length).toBeGreaterThan(300);
    expect(await output("logs", "--tail", "2", "turning")).toBe("line 2999\nline 3000");
    await output("rm", "turning");
  }
});

test("[logs --details] labels, variables and a tag that were asked for stand in every record", async () => {
  const options = ["labels=a,b", "env-regex=^X", "tag={{.Name}}/{{.ImageName}}"].flatMap((option) => ["--log-opt", option]);
  await run("told", "echo hi; echo two", ...options, "-l", "a=1", "-l", "c=2", "-e", "X1=y z", "-e", "Y=no");
  expect(await output("logs", "--details", "told")).toBe("X1=y+z,a=1,tag=told%2Fbusybox hi\nX1=y+z,a=1,tag=told%2Fbusybox two");
  expect(await output("logs", "told")).toBe("hi\ntwo");
  const [first = ""] = (await readFile(await logPath("told"), "utf8")).split("\n");
  expect(JSON.parse(first).attrs).toEqual({ X1: "y z", a: "1", tag: "told/busybox" });
  await output("rm", "told");
});

/** What its log takes on the disk, by what follows the log's own name. */
async function filesOf(name: string): Promise<ReadonlyMap<string, Buffer>> {
  const path = await logPath(name);
  const names = (await readdir(dirname(path))).filter((entry) => entry.startsWith(basename(path)));
  const contents = names.map(
    async (entry): Promise<[string, Buffer]> => [entry.slice(basename(path).length), await readFile(`${dirname(path)}/${entry}`)],
  );
  return new Map(await Promise.all(contents));
}

test("[OBS-1] [CTR-9] [run --log-opt] [logs --timestamps] compressed after rotation, a log reads as if it were not: all of it, its end, any time in it, and while it turns", async () => {
  const packed = ["max-file=40", "compress=true", "max-size=20k"].flatMap((option) => ["--log-opt", option]);
  const numbers = (text: string) => text.split("\n").map((line) => Number(line.split(" ").at(-1)));
  for (const driver of ["json-file", "local"]) {
    const script = "i=0; while [ $i -lt 3000 ]; do i=$((i+1)); echo line $i; [ $((i % 500)) = 0 ] && sleep 0.1; done; :";
    await output("run", "-d", "--name", "packed", "--log-driver", driver, ...packed, "busybox", "sh", "-c", script);
    const following = here().start(["logs", "-f", "packed"]);
    expect(numbers((await following.ended).stdout.trimEnd())).toEqual(Array.from({ length: 3000 }, (_, index) => index + 1));
    const files = await filesOf("packed");
    expect([...files.keys()].filter((name) => !/^(|\.\d+\.gz)$/.test(name))).toEqual([]);
    expect(files.size).toBeGreaterThan(3);
    expect(gunzipSync(files.get(".1.gz") as Buffer).length).toBeLessThanOrEqual(20_000);
    const all = await output("logs", "-t", "packed");
    expect(numbers(all)).toEqual(Array.from({ length: 3000 }, (_, index) => index + 1));
    for (const tail of [1, 700, 2999]) expect(numbers(await output("logs", "--tail", String(tail), "packed"))[0]).toBe(3001 - tail);
    const times = all.split("\n").map((line) => line.split(" ")[0] ?? "");
    for (const time of times) expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/);
    const [from = "", to = ""] = [times[1000], times[2000]];
    const between = numbers(await output("logs", "--since", from, "--until", to, "packed"));
    const ms = (time: string) => time.slice(0, 23);
    const expected = times.flatMap((time, index) => (ms(time) >= ms(from) && ms(time) <= ms(to) ? [index + 1] : []));
    expect(between).toEqual(expected);
    await output("rm", "packed");
  }
});

test("[OBS-1] [run --log-opt] who must not wait loses lines, and it is known how many", async () => {
  const options = ["mode=non-blocking", "max-buffer-size=4k", "max-size=1m", "max-file=99", "compress=true"];
  await run("hasty", "seq 1 400000", ...options.flatMap((option) => ["--log-opt", option]));
  const { LogDroppedRecords: dropped } = await here().inspect<Inspected & { readonly LogDroppedRecords: number }>("hasty");
  expect(dropped).toBeGreaterThan(0);
  const lines = (await output("logs", "hasty")).split("\n");
  expect(lines.length + dropped).toBe(400_000);
  await run("patient", "seq 1 100000", ...options.slice(2).flatMap((option) => ["--log-opt", option]));
  expect((await output("logs", "patient")).split("\n").length).toBe(100_000);
  expect(JSON.parse(await output("inspect", "patient"))[0].LogDroppedRecords).toBeUndefined();
  await output("rm", "hasty", "patient");
});

test("log options that are wrong are told all at once, and nothing is made", async () => {
  const wrong = ["foo=1", "max-size=x", "compress=maybe", "mode=sideways", "max-buffer-size=1m"].flatMap((option) => ["--log-opt", option]);
  const { code, stderr } = await ramekin("run", "--name", "wrong", ...wrong, "busybox", "true");
  expect(code).toBe(125);
  for (const part of ["foo", "max-size", "compress", "mode not supported", "max-buffer-size option"]) expect(stderr).toContain(part);
  for (const [flags, said] of [
    [["--log-driver", "nope"], "no log driver is named nope"],
    [["--log-driver", "none", "--log-opt", "max-size=1m"], "invalid logging opts for driver none"],
    [["--log-opt", "compress=true"], "compress without max-size"],
    [["--log-driver", "passthrough", "--log-opt", "mode=non-blocking"], "no log that could be behind"],
    [["--log-opt", "bare"], "invalid logging option"],
    [["--log-opt", "tag={{.Weather}}"], ".Weather"],
    [["--log-driver", "local", "--log-opt", "tag=x"], "local: labels, env and tag"],
  ] as const)
    expect(await ramekin("run", "--name", "wrong", ...flags, "busybox", "true")).toMatchObject({
      code: 125,
      stderr: expect.stringContaining(said),
    });
  expect(await output("ps", "-aq")).toBe("");
});

test("[CTR-9] what is written while it is followed arrives once, whatever turns over meanwhile", async () => {
  const script = "i=0; while [ $i -lt 400 ]; do i=$((i+1)); echo line $i; [ $((i % 40)) = 0 ] && sleep 0.1; done; :";
  await output("run", "-d", "--name", "followed", "--log-opt", "max-size=4k", "--log-opt", "max-file=50", "busybox", "sh", "-c", script);
  const { stdout } = await here().start(["logs", "-f", "followed"]).ended;
  expect(stdout).toBe(Array.from({ length: 400 }, (_, index) => `line ${index + 1}\n`).join(""));
  await output("rm", "followed");
});

test("[create --health-cmd] [create --health-interval] [create --health-on-failure] [create --health-retries] [create --health-start-interval] [create --health-start-period] [create --health-startup-cmd] [create --health-startup-interval] [create --health-startup-retries] [create --health-startup-success] [create --health-startup-timeout] [create --health-timeout] [create --log-driver] [create --log-opt] [create --no-healthcheck] mean what they mean to run", async () => {
  const durations = [
    "--health-interval",
    "100ms",
    "--health-timeout",
    "9s",
    "--health-start-period",
    "1h",
    "--health-start-interval",
    "150ms",
  ];
  const startup = ["cmd", "true", "interval", "50ms", "retries", "6", "success", "2", "timeout", "8s"];
  const health = ["--health-cmd", "echo fine", "--health-retries", "7", "--health-on-failure", "kill", ...durations];
  for (const [index, word] of startup.entries()) health.push(index % 2 === 0 ? `--health-startup-${word}` : word);
  await output(
    "create",
    "--name",
    "full",
    ...health,
    "--log-driver",
    "local",
    "--log-opt",
    "max-size=1m",
    "busybox",
    "sh",
    "-c",
    "echo up; sleep 1000",
  );
  await output("start", "--wait", "healthy", "full");
  const [{ Config, HostConfig }] = JSON.parse(await output("container", "inspect", "full"));
  expect(Config.Healthcheck).toEqual({
    Test: ["CMD", "/bin/sh", "-c", "echo fine"],
    Interval: 1e8,
    Timeout: 9e9,
    StartPeriod: 3.6e12,
    StartInterval: 1.5e8,
    Retries: 7,
    OnFailure: "kill",
  });
  expect(Config.StartupHealthCheck).toEqual({
    Test: ["CMD", "/bin/sh", "-c", "true"],
    Interval: 5e7,
    Timeout: 8e9,
    Retries: 6,
    Successes: 2,
  });
  expect(HostConfig.LogConfig).toEqual({ Type: "local", Config: { "max-size": "1m" } });
  expect(await output("logs", "full")).toBe("up");
  await output("create", "--name", "bare", "--no-healthcheck", "busybox", "sleep", "1000");
  expect(JSON.parse(await output("container", "inspect", "bare"))[0].Config.Healthcheck).toBeUndefined();
  await output("rm", "-f", "full", "bare");
});

test("[CTR-3] exec into one that is paused says so", async () => {
  await output("run", "-d", "--name", "ice", "busybox", "sleep", "1000");
  await output("pause", "ice");
  expect(await ramekin("exec", "ice", "true")).toMatchObject({ code: 1, stderr: expect.stringContaining("is paused") });
  await output("unpause", "ice");
  await eventually(async () => expect((await ramekin("exec", "ice", "true")).code).toBe(0));
  await output("rm", "-f", "ice");
});
