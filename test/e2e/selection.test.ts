import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { busyboxImage, useKitchen } from "../support/index.ts";

const here = useKitchen(async () => ({ images: [await busyboxImage()] }));
const output = (...args: string[]) => here().output(args);
const lines = async (...args: string[]) => (await output(...args)).split("\n").filter((line) => line !== "");
const names = async (...filters: string[]) =>
  (await lines("ps", "-a", "--format", "{{.Names}}", ...filters.flatMap((filter) => ["--filter", filter]))).sort();
const cidfile = () => join(here().folder, "cid");

beforeAll(async () => {
  const obedient = ["busybox", "sh", "-c", "trap 'exit 0' TERM HUP; while :; do sleep 0.05; done"];
  await output("run", "-d", "--name", "one", "--label", "team=a", "--cidfile", cidfile(), ...obedient);
  await output("run", "-d", "--name", "two", "--label", "team=a", ...obedient);
  await output("run", "-d", "--name", "three", "--label", "team=b", ...obedient);
  await output("create", "--name", "never", "busybox", "true");
});

test("[pause --filter] [pause --all] [unpause --latest] [unpause --all] [pause --latest] [pause --cidfile] [unpause --cidfile] [unpause --filter] which are meant", async () => {
  expect(await lines("pause", "--filter", "label=team=a")).toHaveLength(2);
  expect(await names("status=paused")).toEqual(["one", "two"]);
  expect(await lines("unpause", "--all")).toHaveLength(2);
  await output("pause", "--cidfile", cidfile());
  expect(await names("status=paused")).toEqual(["one"]);
  await output("unpause", "--cidfile", cidfile());
  expect((await here().ramekin(["pause", "--latest"])).stderr).toContain("container never is created, not running");
  expect(await lines("pause", "--all")).toHaveLength(3);
  expect(await lines("unpause", "--filter", "name=three")).toHaveLength(1);
  expect((await here().ramekin(["unpause", "--latest"])).code).toBe(1);
  await output("unpause", "one", "two");
});

test("[restart --running] [restart --filter] [restart --time] [restart --cidfile] [restart --latest] [restart --all]", async () => {
  expect(await lines("restart", "--running", "--time", "1")).toHaveLength(3);
  expect(await names("status=created")).toEqual(["never"]);
  expect(await lines("restart", "-f", "label=team=b")).toHaveLength(1);
  expect(await lines("restart", "--cidfile", cidfile())).toHaveLength(1);
  expect(await lines("restart", "--latest")).toHaveLength(1);
  expect(await output("wait", "--latest")).toBe("0");
  expect(await lines("restart", "--all")).toHaveLength(4);
});

test("[wait --condition] [wait --interval] [wait --latest] a status, or an end", async () => {
  expect(await output("wait", "--condition", "running", "--interval", "20ms", "one")).toBe("-1");
  const waiting = output("wait", "--condition", "exited", "-i", "20", "two");
  await output("kill", "-s", "HUP", "two");
  expect(await waiting).toBe("0");
  expect(await output("wait", "--condition", "stopped,dead", "two")).toBe("0");
  expect(await here().ramekin(["wait", "--condition", "full-moon", "one"])).toMatchObject({
    stdout: "",
    stderr: expect.stringContaining("known are"),
  });
});

test("[stop --all] [stop --filter] [stop --time] [stop --ignore] [stop --cidfile] [stop --latest] [kill --all] [kill --cidfile] [kill --latest]", async () => {
  expect(await lines("stop", "--filter", "label=team=b", "--time", "2")).toHaveLength(1);
  expect(await here().ramekin(["stop", "--ignore", "nobody"])).toMatchObject({ code: 0, stdout: "", stderr: "" });
  expect((await here().ramekin(["stop", "nobody"])).code).toBe(1);
  await output("stop", "--cidfile", cidfile());
  expect(await names("status=running")).toEqual([]);
  expect(await output("stop", "--latest")).toHaveLength(64);
  expect(await output("stop", "--all")).toBe("");
  await output("start", "one");
  await output("kill", "--cidfile", cidfile());
  expect((await here().ramekin(["kill", "--latest"])).stderr).toContain("not running");
  expect(await output("kill", "--all")).toBe("");
});

test("[start --all] [start --filter] [start --latest] [start --sig-proxy] what does not run", async () => {
  expect(await lines("start", "--filter", "label=team=a")).toHaveLength(2);
  expect(await lines("start", "--all")).toHaveLength(2);
  expect(await names("status=running")).toEqual(["one", "three", "two"]);
  expect(await lines("start", "--latest")).toHaveLength(1);
  expect((await here().ramekin(["start", "--checkpoint", "x", "one"])).stderr).toContain("CRIU");
  await output("stop", "one");
  const attached = here().start(["start", "--attach", "--sig-proxy", "one"]);
  await output("wait", "--condition", "running", "--interval", "20ms", "one");
  await new Promise((done) => setTimeout(done, 300));
  attached.child.kill("SIGTERM");
  expect((await attached.ended).code).toBe(0);
});

test("one way at a time, and at least one", async () => {
  expect((await here().ramekin(["stop"])).stderr).toContain("requires at least 1 argument");
  expect((await here().ramekin(["stop", "--all", "one"])).stderr).toContain("conflicting options: names and --all");
  expect((await here().ramekin(["kill", "--cidfile", "/no/such/file"])).stderr).toContain("cannot read the id in /no/such/file");
});

test("[rm --latest] [rm --filter] [rm --cidfile] [rm --ignore] [rm --all] what is not wanted any more", async () => {
  expect(await lines("rm", "--latest")).toHaveLength(1);
  expect(await names()).toEqual(["one", "three", "two"]);
  expect(await lines("rm", "--filter", "label=team=a")).toHaveLength(1);
  expect(await names()).toEqual(["three", "two"]);
  expect((await here().ramekin(["rm", "--cidfile", cidfile()])).code).toBe(1);
  expect(await here().ramekin(["rm", "--ignore", "--cidfile", cidfile()])).toMatchObject({ code: 0, stderr: "" });
  expect((await here().ramekin(["rm", "--link", "a/b"])).stderr).toContain("links need");
  expect(await lines("rm", "--all", "--force")).toHaveLength(2);
  expect(await names()).toEqual([]);
});
