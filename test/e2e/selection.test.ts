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

test("[attach --latest] [exec --latest] [logs --latest] [top --latest] [port --latest] [port --all] [diff --latest] [diff --format] [inspect --latest] [container inspect --latest] [stats --latest] the one that was created last", async () => {
  const script = "echo out; touch /made; trap 'exit 3' TERM; while :; do sleep 0.05; done";
  await output("run", "-d", "--name", "newest", "busybox", "sh", "-c", script);
  expect(await output("exec", "--latest", "echo", "hi", "-l")).toBe("hi -l");
  expect(await output("exec", "-l", "cat", "/proc/1/comm")).toBe("sh");
  expect((await here().ramekin(["exec", "--latest"])).code).toBe(1);
  expect((await here().ramekin(["exec", "--preserve-fds", "2", "newest", "true"])).stderr).toContain("none of this command's descriptors");
  expect(await output("logs", "--latest")).toBe("out");
  expect((await lines("top", "--latest", "--", "-o", "pid,comm"))[0]).toMatch(/^PID +COMMAND/);
  expect(await output("port", "--latest")).toBe("");
  expect(await output("port", "--all")).toBe("");
  expect((await here().ramekin(["port"])).stderr).toContain("requires at least 1 argument");
  expect((await here().ramekin(["port", "-l", "80"])).stderr).toContain("no public port '80'");
  expect((await here().ramekin(["port", "--all", "newest"])).stderr).toContain("conflicting options");
  expect(await output("diff", "--latest")).toBe("A /made");
  expect(JSON.parse(await output("diff", "--format", "json", "newest"))).toEqual({ added: ["/made"] });
  for (const verb of [["inspect"], ["container", "inspect"]]) expect(await output(...verb, "-l", "--format", "{{.Name}}")).toBe("/newest");
  expect(await output("stats", "--latest", "--no-stream", "--format", "{{.Name}}")).toBe("newest");
  expect((await here().ramekin(["stats", "--latest", "newest"])).stderr).toContain("conflicting options");
  const attached = here().start(["attach", "--latest"]);
  await new Promise((done) => setTimeout(done, 500));
  attached.child.kill("SIGTERM");
  expect((await attached.ended).code).toBe(3);
  expect((await here().ramekin(["attach", "--latest", "newest"])).stderr).toContain("accepts no arguments");
  await output("rm", "newest");
});

test("[logs --names] [logs --color] of several, whose line it is", async () => {
  for (const name of ["uno", "due"])
    await output("run", "-d", "--name", name, "--wait", "exit", "busybox", "sh", "-c", `echo ${name} 1; echo ${name} 2`);
  expect(await output("logs", "uno")).toBe("uno 1\nuno 2");
  expect(await output("logs", "--names", "uno", "due")).toBe("uno uno 1\nuno uno 2\ndue due 1\ndue due 2");
  const ids = (await output("inspect", "--format", "{{.Id}}", "uno", "due")).split("\n").map((id) => id.slice(0, 12));
  expect((await output("logs", "-f", "uno", "due")).split("\n").sort()).toEqual(
    ["uno 1", "uno 2", "due 1", "due 2"].map((line) => `${ids[line.startsWith("uno") ? 0 : 1]} ${line}`).sort(),
  );
  expect((await here().ramekin(["logs", "--color", "--names", "--tail", "1", "uno", "due"])).stdout).toBe(
    "\x1b[31muno uno 2\x1b[0m\n\x1b[32mdue due 2\x1b[0m\n",
  );
  await output("rm", "uno", "due");
});

test("[ps --watch] [ps --ns] [ps --sort] [ps --noheading] [ps --filter] Podman's ways to look", async () => {
  const watching = here().start(["ps", "-a", "--watch", "1", "--format", "{{.Names}}", "--sort", "names"]);
  await watching.saw("never\none\nthree\ntwo\nnever\n");
  watching.child.kill("SIGINT");
  await watching.ended;
  await output("start", "one");
  const [pid, net] = (await output("ps", "--ns", "--noheading", "--format", "{{.Pid}} {{.NET}}", "--filter", "name=one")).split(" ");
  expect(Number(pid)).toBe((await here().inspect("one")).State.Pid);
  expect(net).toMatch(/^\d+$/);
  await output("stop", "one");
  await output("create", "--name", "exposing", "--expose", "8080", "--annotation", "a=b", "busybox", "true");
  expect(await names("expose=8080/tcp")).toEqual(["exposing"]);
  expect(await names("annotation=a=b")).toEqual(["exposing"]);
  expect(await names("publish=8080")).toEqual([]);
  expect(await names("is-task=true")).toEqual([]);
  expect(await names("until=1h")).toEqual([]);
  await output("rm", "exposing");
});

test("one way at a time, and at least one", async () => {
  expect((await here().ramekin(["stop"])).stderr).toContain("requires at least 1 argument");
  expect((await here().ramekin(["stop", "--all", "one"])).stderr).toContain("conflicting options: names and --all");
  expect((await here().ramekin(["kill", "--cidfile", "/no/such/file"])).stderr).toContain("cannot read the id in /no/such/file");
});

test("[rm --latest] [rm --filter] [rm --cidfile] [rm --ignore] [rm --all] [rm --time] what is not wanted any more", async () => {
  expect(await lines("rm", "--latest")).toHaveLength(1);
  expect(await names()).toEqual(["one", "three", "two"]);
  expect(await lines("rm", "--filter", "label=team=a")).toHaveLength(1);
  expect(await names()).toEqual(["three", "two"]);
  expect((await here().ramekin(["rm", "--cidfile", cidfile()])).code).toBe(1);
  expect(await here().ramekin(["rm", "--ignore", "--cidfile", cidfile()])).toMatchObject({ code: 0, stderr: "" });
  expect((await here().ramekin(["rm", "--link", "a/b"])).stderr).toContain("links need");
  expect((await here().ramekin(["rm", "--time", "3", "two"])).stderr).toContain("--force option must be specified");
  expect((await here().ramekin(["rm", "--depend", "two"])).stderr).toContain("shares another's namespaces");
  await output("start", "two");
  const stopped = here().start([
    "events",
    "--filter",
    "container=two",
    "--filter",
    "event=die",
    "--format",
    '{{index .Actor.Attributes "exitCode"}}',
  ]);
  await new Promise((done) => setTimeout(done, 500));
  // its handler of TERM ends it with 0: it was not killed
  await output("rm", "--force", "--time", "9", "two");
  await stopped.saw("0");
  stopped.child.kill("SIGINT");
  await stopped.ended;
  expect(await lines("rm", "--all", "--force")).toHaveLength(1);
  expect(await names()).toEqual([]);
});
