import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { busyboxImage, eventually, useKitchen } from "../support/index.ts";

const here = useKitchen(async () => ({ images: [await busyboxImage()] }));
const output = (...args: string[]) => here().output(args);
const lines = async (...args: string[]) => (await output("events", "--stream=false", ...args)).split("\n").filter((line) => line !== "");
const actions = async (...args: string[]) => lines("--format", "{{.Action}}", ...args);
const all = ["--since", "1h"];

/** One container's life, which all look back on. */
let id = "";
beforeAll(async () => {
  id = await output(
    "run",
    "-d",
    "--name",
    "web",
    "--label",
    "color=blue",
    "busybox",
    "sh",
    "-c",
    "trap 'exit 3' TERM; while :; do sleep 0.1; done",
  );
  await here().ramekin(["exec", "web", "sh", "-c", "exit 7"]);
  await output("pause", "web");
  await output("unpause", "web");
  await output("top", "web");
  await output("rename", "web", "site");
  await output("stop", "site");
  await output("rm", "site");
  await output("run", "--rm", "busybox", "true");
});

test("[OBS-2] a container's whole life is in the journal, what its supervisor saw alone included", async () => {
  const seen = await actions(...all, "--filter", `container=${id}`);
  expect(seen).toEqual([
    ...["create", "start", "exec_create: sh -c exit 7", "exec_start: sh -c exit 7", "exec_die", "pause", "unpause", "top", "rename"],
    ...["kill", "die", "stop", "destroy"],
  ]);
});

test("[OBS-2] --rm: the end and the removal are told by the supervisor", async () => {
  await eventually(async () => {
    const seen = await lines(...all, "--filter", "event=destroy", "--format", "{{.Actor.ID}}");
    expect(seen).toHaveLength(2);
    const gone = seen.find((each) => each !== id) as string;
    expect(await actions(...all, "--filter", `container=${gone}`)).toEqual(["create", "attach", "start", "die", "destroy"]);
  });
});

test("[OBS-2] [events --no-trunc] lines as Docker writes them: time with nine digits, type, action, id, attributes in order", async () => {
  const [line = ""] = await lines(...all, "--filter", "event=die", "--filter", "container=site");
  expect(line).toMatch(
    new RegExp(
      `^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{9}(Z|[+-]\\d\\d:\\d\\d) container die ${id} ` +
        "\\(color=blue, execDuration=\\d+, exitCode=3, image=busybox, name=site\\)$",
    ),
  );
  const [short = ""] = await lines(...all, "--no-trunc=false", "--filter", "event=die", "--filter", "container=site");
  expect(short).toBe(line.replace(id, id.slice(0, 12)));
});

test("[events --filter] by type, event, container, image, label, all of them at once", async () => {
  const count = async (...filters: string[]) => (await actions(...all, ...filters.flatMap((filter) => ["--filter", filter]))).length;
  expect(await count("event=die")).toBe(2);
  expect(await count("event=exec_create", "event=exec_die")).toBe(2);
  expect(await count("event=die", "label=color=blue")).toBe(1);
  expect(await count("event=die", "label=color", "container=nobody")).toBe(0);
  expect(await count("image=busybox", "type=container", "event=create")).toBe(2);
  expect(await count("type=image", "event=load")).toBe(1);
  expect(await here().ramekin(["events", "--filter", "moon=full"])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("invalid filter"),
  });
});

test("[events --format] json has the fields of Docker's API; a template sees Go's", async () => {
  const [line = ""] = await lines(...all, "--filter", "event=die", "--filter", "container=site", "--format", "json");
  const event = JSON.parse(line);
  expect(event).toMatchObject({
    status: "die",
    id,
    from: "busybox",
    Type: "container",
    Action: "die",
    Actor: { ID: id, Attributes: { name: "site", exitCode: "3" } },
    scope: "local",
  });
  expect(line).toMatch(/"time":\d{10},"timeNano":\d{19}\}$/);
  expect(
    await lines(
      ...all,
      "--filter",
      "event=die",
      "--filter",
      "container=site",
      "--format",
      "{{.Type}} {{.Actor.Attributes.exitCode}} {{.Scope}}",
    ),
  ).toEqual(["container 3 local"]);
});

test("[OBS-2] what an action adds is what Docker adds: numbers of signals, sizes, names, comments, volumes", async () => {
  const script = "trap '' USR1; trap 'exit 0' QUIT; while :; do sleep 0.05; done";
  await output("volume", "create", "data");
  await output("run", "-dt", "--name", "busy", "--stop-signal", "QUIT", "-v", "data:/data:ro", "busybox", "sh", "-c", script);
  await output("kill", "-s", "USR1", "busy");
  await output("cp", "busy:/etc/passwd", "-");
  await output("update", "--memory", "64m", "busy");
  await output("exec", "busy", "true");
  await output("commit", "-m", "kept", "busy", "made:1");
  await output("export", "-o", `${here().folder}/busy.tar`, "busy");
  await output("stop", "busy");
  await output("rm", "busy");
  await output("volume", "rm", "data");
  await output("builder", "prune", "-f");
  interface Told {
    readonly Type: string;
    readonly Action: string;
    readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> };
  }
  const told = (await lines(...all, "--format", "json")).map((line) => JSON.parse(line) as Told);
  const of = (type: string, name: string) =>
    told.filter(({ Type, Actor }) => Type === type && (Actor.Attributes["name"] ?? Actor.ID) === name);
  const busy = of("container", "busy");
  const added = busy.map(({ Action, Actor: { Attributes } }) => {
    const { name, image, ...more } = Attributes;
    expect([name, image]).toEqual(["busy", "busybox"]);
    return [Action.split(":")[0], more];
  });
  const exec = { execID: expect.stringMatching(/^[0-9a-f]{64}$/) };
  expect(added).toEqual([
    ["create", {}],
    ["start", {}],
    ["kill", { signal: "10" }],
    ["copy", { path: "/etc/passwd" }],
    ["update", {}],
    ["exec_create", exec],
    ["exec_start", exec],
    ["exec_die", { ...exec, exitCode: "0" }],
    ["pause", {}],
    ["unpause", {}],
    ["commit", { comment: "kept", imageID: expect.stringMatching(/^sha256:/), imageRef: "made:1" }],
    ["export", {}],
    ["kill", { signal: "3" }],
    ["die", { exitCode: "0", execDuration: expect.stringMatching(/^\d+$/) }],
    ["stop", {}],
    ["destroy", {}],
  ]);
  const container = busy[0]?.Actor.ID;
  expect(of("volume", "data").map(({ Action, Actor: { Attributes } }) => [Action, Attributes])).toEqual([
    ["create", { driver: "local" }],
    ["mount", { driver: "local", container, destination: "/data", propagation: "", "read/write": "false" }],
    ["unmount", { driver: "local", container }],
    ["destroy", { driver: "local" }],
  ]);
  expect(of("builder", "").map(({ Action, Actor: { Attributes } }) => [Action, Attributes])).toEqual([
    ["prune", { reclaimed: expect.stringMatching(/^\d+$/) }],
  ]);
});

test("[events --since] [events --until] [events --stream] bounds choose what is shown", async () => {
  expect(await actions("--since", "0s")).toEqual([]);
  expect(await actions("--until", "1h")).toEqual([]);
  const [first = ""] = await lines(...all, "--filter", "event=create", "--format", "{{.Time}}");
  expect(await actions("--until", String(Number(first) - 1), "--filter", "type=container")).toEqual([]);
  expect((await actions("--since", first, "--until", "0s", "--filter", "type=container")).length).toBeGreaterThan(15);
});

test("[OBS-2] what other processes do comes while one listens", async () => {
  const listener = here().start(["events", "--filter", "type=container", "--format", "{{.Action}} {{.Actor.Attributes.name}}"]);
  // It listens once it shows something.
  await eventually(async () => {
    await output("create", "--name", "probe", "busybox", "true");
    await output("rm", "probe");
    await Promise.race([listener.saw("destroy probe"), new Promise((_, reject) => setTimeout(reject, 500, new Error("nothing yet")))]);
  });
  await output("run", "-d", "--name", "other", "busybox", "true");
  await listener.saw("die other");
  await output("rm", "other");
  await listener.saw("destroy other");
  listener.child.kill("SIGINT");
  expect((await listener.ended).code).toBe(130);
});

test("[OBS-2] kill -9 of the command that waits changes nothing in what is written", async () => {
  const running = here().start([
    "run",
    "--name",
    "orphan",
    "busybox",
    "sh",
    "-c",
    "echo up; while [ ! -e /go ]; do sleep 0.05; done; exit 4",
  ]);
  await running.saw("up");
  running.child.kill("SIGKILL");
  await running.ended;
  await output("exec", "orphan", "touch", "/go");
  await output("wait", "orphan");
  expect(
    await lines(...all, "--filter", "event=die", "--filter", "container=orphan", "--format", "{{.Actor.Attributes.exitCode}}"),
  ).toEqual(["4"]);
  await output("rm", "orphan");
});

test("[OBS-2] a supervisor that is killed: its container's end is told by who finds it", async () => {
  await output("run", "-d", "--name", "alone", "busybox", "sleep", "1000");
  const state = JSON.parse(await readFile(join(here().root, "containers", (await here().inspect("alone")).Id, "state.json"), "utf8"));
  process.kill(state.shim.pid, "SIGKILL");
  await eventually(async () => expect((await here().inspect("alone")).State.Status).toBe("exited"));
  expect(await lines(...all, "--filter", "event=die", "--filter", "container=alone", "--format", "{{.Actor.Attributes.exitCode}}")).toEqual(
    ["137"],
  );
  await output("rm", "alone");
});

test("[OBS-2] too much memory: oom comes before die", async () => {
  const eat = ["sh", "-c", "x=a; while :; do x=$x$x; done"];
  await here().ramekin(["run", "--name", "hungry", "--memory", "8m", "--memory-swap", "8m", "busybox", ...eat]);
  expect(await actions(...all, "--filter", "container=hungry")).toEqual(["create", "attach", "start", "oom", "die"]);
  await output("rm", "hungry");
});

test("[OBS-2] a command that never ran has not died", async () => {
  expect((await here().ramekin(["run", "--name", "typo", "busybox", "/no/such/program"])).code).toBe(127);
  expect(await actions(...all, "--filter", "container=typo")).not.toContain("die");
  await output("rm", "typo");
  expect((await readdir(join(here().root, "events"))).every((name) => /^\d{10}\.jsonl$/.test(name))).toBe(true);
});
