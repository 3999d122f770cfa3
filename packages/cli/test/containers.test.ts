import { readlink } from "node:fs/promises";
import { type LogReadOptions, type LogRecord, RamekinError } from "@ramekin/core";
import type { Container, ContainerInfo, ContainerStatus, PruneContainersOptions } from "@ramekin/engine";
import { describe, expect, test } from "vitest";
import { exited } from "./attachments.ts";
import { container, containerDetails, containerInfo, digest } from "./samples.ts";
import { ramekin } from "./world.ts";

describe("ramekin ps", () => {
  const minute = 60_000;
  const at = (minutes: number) => new Date(Date.now() - minutes * minute);
  const ids = ["a", "b", "c", "d"].map((letter) => letter.repeat(64));
  const all: ContainerInfo[] = [
    containerInfo({ id: ids[0] as string, name: "web", createdAt: at(1), startedAt: at(1), labels: { tier: "front" } }),
    containerInfo({
      id: ids[1] as string,
      name: "frozen",
      createdAt: at(2),
      startedAt: at(2),
      status: "paused",
      image: "redis:7",
      labels: {},
    }),
    containerInfo({
      id: ids[2] as string,
      name: "job",
      createdAt: at(10),
      startedAt: at(9),
      status: "exited",
      exit: exited(3, { exitedAt: at(3) }),
      image: "docker.io/library/debian:12",
      labels: { tier: "back", x: "1" },
      network: "host",
      command: ["sh", "-c", "true"],
      annotations: { team: "a" },
      expose: ["80/tcp"],
    }),
    containerInfo({ id: ids[3] as string, name: "fresh", createdAt: at(20), status: "created", imageId: digest("f"), labels: {} }),
  ];
  const ps = (...argv: string[]) => ramekin(["ps", ...argv], { engine: { containers: async () => all, image: imageWithPort } });
  // of that of "fresh"; others are not here any more
  const imageWithPort = async (name: string) => {
    if (name !== digest("f")) throw new RamekinError("NOT_FOUND", `no image ${name}`);
    return { config: { config: { ExposedPorts: { "443/tcp": {} } } } } as never;
  };
  const names = async (...argv: string[]) => (await ps(...argv, "--format", "{{.Names}}")).stdout.trim().split("\n").join(" ");

  test("the table is Docker's", async () => {
    const { stdout, status } = await ps();
    expect(status).toBe(0);
    expect(stdout).toBe(
      [
        "CONTAINER ID   IMAGE     COMMAND                  CREATED              STATUS                  PORTS     NAMES",
        `aaaaaaaaaaaa   nginx     "nginx -g 'daemon of…"   About a minute ago   Up About a minute                 web`,
        `bbbbbbbbbbbb   redis:7   "nginx -g 'daemon of…"   2 minutes ago        Up 2 minutes (Paused)             frozen`,
        "",
      ].join("\n"),
    );
  });

  test("[ps --all] shows those that do not run, with what became of them", async () => {
    expect((await ps("-a", "--format", "{{.Names}}: {{.Status}}")).stdout).toBe(
      "web: Up About a minute\nfrozen: Up 2 minutes (Paused)\njob: Exited (3) 3 minutes ago\nfresh: Created\n",
    );
  });

  test("[ps --quiet] [ps --no-trunc] ids alone, and whole", async () => {
    expect((await ps("-q")).stdout).toBe("aaaaaaaaaaaa\nbbbbbbbbbbbb\n");
    expect((await ps("-q", "--no-trunc")).stdout).toBe(`${ids[0]}\n${ids[1]}\n`);
    const long = { engine: { containers: async () => [containerInfo({ command: ["sh", "-c", "sleep 1000000000000"] })] } };
    expect((await ramekin(["ps", "--format", "{{.Command}}"], long)).stdout).toBe(`"sh -c 'sleep 100000…"\n`);
    expect((await ramekin(["ps", "--no-trunc", "--format", "{{.Command}}"], long)).stdout).toBe(`"sh -c 'sleep 1000000000000'"\n`);
  });

  test("[ps --latest] [ps --last] count those that have ended", async () => {
    expect(await names("-l")).toBe("web");
    expect(await names("-n", "3")).toBe("web frozen job");
    expect(await names("-n", "-1")).toBe("web frozen");
  });

  test.each([
    [["name=^we"], "web"],
    [["name=web", "name=job"], "web job"],
    [["name=/web"], "web"],
    [[`id=${"c".repeat(12)}`], "job"],
    [["label=tier"], "web job"],
    [["label=tier=back"], "job"],
    [["label=tier", "label=x=1"], "job"],
    [["status=exited"], "job"],
    [["status=exited", "status=created"], "job fresh"],
    [["exited=3"], "job"],
    [["exited=0"], ""],
    [["ancestor=debian"], "job"],
    [["ancestor=debian:12"], "job"],
    [["ancestor=debian:11"], ""],
    [[`ancestor=${digest("f").slice(7, 19)}`], "fresh"],
    [["before=job"], "fresh"],
    [["since=job"], "web frozen"],
    [["network=host"], "job"],
    [["annotation=team"], "job"],
    [["annotation=team=b"], ""],
    [["command=sh"], "job"],
    [["expose=80"], "job"],
    [["expose=79-81/tcp"], "job"],
    [["expose=80/udp"], ""],
    [["expose=443"], "fresh"],
    [["publish=80"], ""],
    [["is-task=true"], ""],
    [["is-task=false", "name=job"], "job"],
    [["isolation=linux", "name=job"], "job"],
    [["isolation=default", "name=job"], "job"],
    [["isolation=oci"], ""],
    [["until=1h"], ""],
    [["until=0s", "name=job"], "job"],
    [["status=running", "label=tier"], "web"],
  ])("[ps --filter] %j", async (filters, expected) => {
    expect(await names("-a", ...filters.flatMap((filter) => ["-f", filter]))).toBe(expected);
  });

  test("[ps --filter] by status or exit code shows those that have ended without --all", async () => {
    expect(await names("-f", "status=exited")).toBe("job");
    expect(await names("-f", "name=job")).toBe("");
    expect(await ps("-f", "colour=red")).toMatchObject({ status: 1, stderr: expect.stringContaining("invalid filter 'colour'") });
    expect(await ps("-f", "status=asleep")).toMatchObject({ status: 1, stderr: expect.stringContaining("status=asleep") });
    expect(await ps("-f", "is-task=perhaps")).toMatchObject({ status: 1, stderr: expect.stringContaining("is-task=perhaps") });
    expect(await ps("-f", "publish=no")).toMatchObject({ status: 1, stderr: expect.stringContaining("no port to filter by: no") });
    expect(await ps("-f", "before=nobody")).toMatchObject({ status: 1, stderr: expect.stringContaining("no such container: nobody") });
  });

  test("[ps --noheading] rows alone, by a template or not", async () => {
    expect((await ps("--noheading")).stdout).not.toContain("CONTAINER ID");
    expect((await ps("--noheading")).stdout.split("\n")).toHaveLength(3);
    expect((await ps("--noheading", "--format", "table {{.Names}}\\t{{.State}}")).stdout).toBe("web       running\nfrozen    paused\n");
  });

  test.each([
    ["names", "fresh frozen job web"],
    ["created", "fresh job frozen web"],
    ["id", "web frozen job fresh"],
    ["status", "fresh job frozen web"],
    ["runningfor", "web frozen fresh job"],
    ["image", "job web fresh frozen"],
    ["size", "web frozen job fresh"],
    ["command", "web frozen fresh job"],
  ])("[ps --sort] %s", async (by, expected) => {
    expect(await names("-a", "--sort", by)).toBe(expected);
  });

  test("[ps --ns] what the kernel says of a process, and nothing of none", async () => {
    const engine = {
      engine: {
        containers: async () => [containerInfo({ pid: process.pid }), containerInfo({ id: "d".repeat(64), pid: undefined as never })],
      },
    };
    const { stdout } = await ramekin(["ps", "--ns", "--format", "{{.Pid}} {{.NET}} {{.PIDNS}}"], engine);
    const inode = async (kind: string) => /\d+/.exec(await readlink(`/proc/self/ns/${kind}`))?.[0];
    expect(stdout).toBe(`${process.pid} ${await inode("net")} ${await inode("pid")}\n0  \n`);
    expect((await ramekin(["ps", "--ns"], engine)).stdout).toMatch(
      /^CONTAINER ID +NAMES +PID +CGROUPNS +IPC +MNT +NET +PIDNS +USERNS +UTS\n/,
    );
  });

  test("[ps --external] [ps --pod] [ps --sync] are refused with the reason", async () => {
    expect(await ps("--external")).toMatchObject({ status: 125, stderr: expect.stringContaining("what builds run is not kept") });
    expect(await ps("-p")).toMatchObject({ status: 125, stderr: expect.stringContaining("-p, --pod: this version has no pods") });
    expect(await ps("--sync")).toMatchObject({ status: 125, stderr: expect.stringContaining("nothing to synchronise") });
    expect(await ps("--watch", "0")).toMatchObject({ status: 125, stderr: expect.stringContaining("not a time") });
  });

  test("[ps --format] JSON, tables and templates", async () => {
    const [first] = (await ps("--format", "json")).stdout.split("\n");
    expect(JSON.parse(first as string)).toMatchObject({
      ID: "aaaaaaaaaaaa",
      Names: "web",
      State: "running",
      Labels: "tier=front",
      Networks: "none",
    });
    expect((await ps("--format", "table {{.Names}}\\t{{.State}}")).stdout).toBe("NAMES     STATE\nweb       running\nfrozen    paused\n");
    expect((await ps("--format", '{{.Label "tier"}}')).stdout).toBe("front\n\n");
    expect(await ps("--format", "{{.Nope}}")).toMatchObject({ status: 1, stderr: expect.stringContaining("Nope") });
  });
});

describe("one or more containers", () => {
  const engineOf = (methods: (name: string) => Partial<Container>) => ({
    container: async (name: string) => {
      if (name === "nobody") throw new RamekinError("NOT_FOUND", "no such container: nobody");
      return container(methods(name));
    },
  });

  test("what works is printed, what fails is reported, and the status says so", async () => {
    const ran = await ramekin(["stop", "a", "nobody", "b"], { engine: engineOf(() => ({ stop: async () => exited(0) })) });
    expect(ran).toMatchObject({ status: 1, stdout: "a\nb\n", stderr: "ramekin: no such container: nobody\n" });
  });

  test("[stop --timeout] [stop --signal] reach the container", async () => {
    const calls: unknown[] = [];
    const engine = engineOf(() => ({
      stop: async ({ signal: _, ...options } = {}) => {
        calls.push(options);
        return exited(0);
      },
    }));
    await ramekin(["stop", "-t", "0", "-s", "int", "web"], { engine });
    await ramekin(["stop", "web"], { engine });
    expect(calls).toEqual([{ timeout: 0, stopSignal: "SIGINT" }, {}]);
  });

  test("[restart --timeout] [restart --signal] reach the container", async () => {
    const calls: unknown[] = [];
    const engine = engineOf(() => ({ restart: async ({ signal: _, ...options } = {}) => void calls.push(options) }));
    expect(await ramekin(["restart", "-t", "3", "-s", "HUP", "web"], { engine })).toMatchObject({ status: 0, stdout: "web\n" });
    await ramekin(["container", "restart", "web"], { engine });
    expect(calls).toEqual([{ timeout: 3, stopSignal: "SIGHUP" }, {}]);
  });

  test("rename takes two names, and prints nothing", async () => {
    const calls: unknown[] = [];
    const engine = engineOf((name) => ({ rename: async (to) => void calls.push([name, to]) }));
    expect(await ramekin(["rename", "web", "shop"], { engine })).toMatchObject({ status: 0, stdout: "" });
    expect(await ramekin(["container", "rename", "nobody", "shop"], { engine })).toMatchObject({ status: 1 });
    expect((await ramekin(["rename", "web"], { engine })).status).not.toBe(0);
    expect(calls).toEqual([["web", "shop"]]);
  });

  test("top gives ps what follows, and makes columns as Docker's", async () => {
    const asked: unknown[] = [];
    const engine = engineOf(() => ({
      top: async (options) => {
        asked.push(options);
        return { titles: ["PID", "CMD"], processes: [["1234", "sleep 1"]] };
      },
    }));
    expect((await ramekin(["top", "web"], { engine })).stdout).toBe("PID                 CMD\n1234                sleep 1\n");
    await ramekin(["container", "top", "web", "-o", "pid,cmd", "--forest f"], { engine });
    expect(asked).toEqual([undefined, ["-o", "pid,cmd", "--forest", "f"]]);
  });

  test("port: nothing is published; a port that is asked for is an error, and so is what is none", async () => {
    const port = (...words: string[]) => ramekin(["port", ...words], { engine: engineOf(() => ({})) });
    expect(await port("web")).toMatchObject({ status: 0, stdout: "", stderr: "" });
    expect(await port("web", "80")).toMatchObject({ status: 1, stderr: "ramekin: no public port '80' published for web\n" });
    expect(await port("web", "80/udp")).toMatchObject({ status: 1, stderr: expect.stringContaining("'80/udp'") });
    for (const wrong of ["http", "70000", "", "/tcp"])
      expect(await port("web", wrong)).toMatchObject({ status: 1, stderr: expect.stringContaining("invalid port (") });
    expect(await port("nobody")).toMatchObject({ status: 1, stderr: expect.stringContaining("no such container: nobody") });
  });

  test("[kill --signal] is SIGKILL unless said otherwise", async () => {
    const calls: unknown[] = [];
    const engine = engineOf(() => ({ kill: async (signal) => void calls.push(signal) }));
    await ramekin(["kill", "web"], { engine });
    await ramekin(["kill", "-s", "HUP", "web"], { engine });
    expect(calls).toEqual(["SIGKILL", "SIGHUP"]);
    expect(await ramekin(["kill", "-s", "NOPE", "web"], { engine })).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("no such signal"),
    });
  });

  test("pause, unpause and wait", async () => {
    const calls: string[] = [];
    const engine = engineOf((name) => ({
      pause: async () => void calls.push(`pause ${name}`),
      unpause: async () => void calls.push(`unpause ${name}`),
      wait: async () => exited(name === "a" ? 3 : 0),
    }));
    expect((await ramekin(["pause", "a", "b"], { engine })).stdout).toBe("a\nb\n");
    expect((await ramekin(["unpause", "a"], { engine })).stdout).toBe("a\n");
    expect(await ramekin(["wait", "a", "b"], { engine })).toMatchObject({ status: 0, stdout: "3\n0\n" });
    expect(calls).toEqual(["pause a", "pause b", "unpause a"]);
  });

  test("[rm --force] removes what runs and forgives what is not there", async () => {
    const calls: unknown[] = [];
    const engine = engineOf(() => ({ remove: async (options) => void calls.push(options) }));
    expect(await ramekin(["rm", "-f", "web", "nobody"], { engine })).toMatchObject({
      status: 0,
      stdout: "web\n",
      stderr: "ramekin: no such container: nobody\n",
    });
    expect(await ramekin(["rm", "nobody"], { engine })).toMatchObject({ status: 1 });
    await ramekin(["container", "rm", "web"], { engine });
    expect(calls).toEqual([
      { force: true, volumes: false },
      { force: false, volumes: false },
    ]);
  });
});

describe("ramekin logs", () => {
  async function logs(...argv: string[]) {
    let asked: LogReadOptions = {};
    const time = new Date("2026-01-02T13:23:37.123Z");
    const record = (stream: "stdout" | "stderr", line: string, partial = false): LogRecord => ({
      time,
      stream,
      line: Buffer.from(line),
      ...(partial && { partial }),
    });
    const engine = {
      container: async () =>
        container({
          logBatches: async function* (options = {}) {
            const { signal: _, ...rest } = options;
            asked = rest;
            yield [record("stdout", "one"), record("stderr", "two"), record("stdout", "three ", true)];
            yield [{ ...record("stdout", "parts"), attributes: { b: "x y", a: "1" } }];
          },
        }),
    };
    const ran = await ramekin(["logs", ...argv, "web"], { engine });
    return { ...ran, asked };
  }

  test("each stream on its own, parts of a line together", async () => {
    expect(await logs()).toMatchObject({ status: 0, stdout: "one\nthree parts\n", stderr: "two\n", asked: { follow: false } });
  });

  test("[logs --details] what was written with a line stands before it, behind the time", async () => {
    expect((await logs("--details")).stdout).toBe(" one\n three a=1,b=x+y parts\n");
    expect((await logs("--details", "-t")).stderr).toBe("2026-01-02T13:23:37.123000000Z  two\n");
  });

  test("[logs --timestamps]", async () => {
    expect((await logs("-t")).stderr).toBe("2026-01-02T13:23:37.123000000Z two\n");
  });

  test("[logs --follow] [logs --tail] [logs --since] [logs --until]", async () => {
    expect((await logs("-f", "-n", "5", "--since", "2026-01-02T00:00:00Z", "--until", "2026-01-03T00:00:00Z")).asked).toEqual({
      follow: true,
      tail: 5,
      since: new Date("2026-01-02T00:00:00Z"),
      until: new Date("2026-01-03T00:00:00Z"),
    });
    expect((await logs("--tail", "all")).asked).toEqual({ follow: false });
    expect(await logs("--tail", "some")).toMatchObject({ status: 1, stderr: expect.stringContaining("not a number of lines: some") });
  });
});

describe("ramekin inspect", () => {
  const statuses: ContainerStatus[] = ["running", "exited"];
  const engine = {
    container: async (name: string) => {
      if (name !== "web" && name !== "job") throw new RamekinError("NOT_FOUND", `no such container: ${name}`);
      const details = containerDetails(name === "web" ? {} : { name: "job", status: "exited", exit: exited(137, { oomKilled: true }) });
      return container({ inspect: async () => details });
    },
    image: async (name: string) => {
      if (name !== "debian") throw new RamekinError("NOT_FOUND", `no such image: ${name}`);
      const { imageDetails } = await import("./samples.ts");
      return imageDetails();
    },
  };

  test("has the shape of Docker's", async () => {
    const [web] = JSON.parse((await ramekin(["inspect", "web"], { engine })).stdout);
    expect(web).toMatchObject({
      Name: "/web",
      Path: "nginx",
      Args: ["-g", "daemon off;"],
      State: { Status: "running", Running: true, Pid: 42, ExitCode: 0 },
      HostConfig: { NetworkMode: "none", LogConfig: { Type: "json-file" } },
      Config: { Labels: { tier: "front" } },
    });
    const mount = { source: "/s", destination: "/d", mode: "", writable: true, propagation: "" };
    const whole = containerDetails({
      env: ["A=b", "PATH=/bin"],
      volumes: ["/a", "/d"],
      mounts: [
        { ...mount, type: "bind" },
        { ...mount, type: "tmpfs", destination: "/t", words: "size=1m,mode=700" },
        { ...mount, type: "tmpfs", destination: "/u" },
      ],
    });
    const attach = { ...whole, config: { ...whole.config, options: { ...whole.config.options, attach: ["stdout" as const] } } };
    const more = { container: async () => container({ inspect: async () => attach }) };
    expect(JSON.parse((await ramekin(["inspect", "web"], { engine: more })).stdout)[0]).toMatchObject({
      Mounts: [
        { Type: "bind", Destination: "/d" },
        { Type: "tmpfs", Destination: "/u" },
      ],
      HostConfig: { Tmpfs: { "/t": "size=1m,mode=700" } },
      Config: {
        AttachStdin: false,
        AttachStdout: true,
        AttachStderr: false,
        Env: ["A=b", "PATH=/bin"],
        Volumes: { "/a": {}, "/d": {} },
      },
    });
    const named = await ramekin(["inspect", "-f", "{{range .Mounts}}{{.Type}}({{.Name}}{{.Driver}}){{end}}", "web"], { engine: more });
    expect(named).toMatchObject({ status: 0, stdout: "bind()tmpfs()\n" });
    const [debian] = JSON.parse((await ramekin(["inspect", "debian"], { engine })).stdout);
    expect(debian).toMatchObject({
      RepoTags: ["debian:12"],
      RepoDigests: [`debian@${digest("b")}`],
      Architecture: "amd64",
      Config: { Env: ["A=1"] },
    });
  });

  test("[inspect --format] [container inspect --format] [image inspect --format]", async () => {
    const one = (...argv: string[]) => ramekin(argv, { engine }).then(({ stdout }) => stdout);
    expect(await one("inspect", "-f", "{{.State.Status}} {{.State.ExitCode}} {{.State.OOMKilled}}", "web", "job")).toBe(
      "running 0 false\nexited 137 true\n",
    );
    expect(await one("container", "inspect", "--format", "{{.Name}}", "job")).toBe("/job\n");
    expect(await one("image", "inspect", "--format", "{{json .Config.Env}}", "debian")).toBe('["A=1"]\n');
    expect(JSON.parse(await one("inspect", "--format", "json", "web"))).toHaveLength(1);
    expect(statuses).toHaveLength(2);
  });

  test("[inspect --type] looks nowhere else", async () => {
    expect(await ramekin(["inspect", "--type", "image", "web"], { engine })).toMatchObject({
      status: 1,
      stdout: "[]\n",
      stderr: "ramekin: no such image: web\n",
    });
    expect(await ramekin(["inspect", "--type", "container", "debian"], { engine })).toMatchObject({ status: 1 });
    expect(await ramekin(["inspect", "--type", "volume", "x"], { engine })).toMatchObject({ status: 125 });
    expect(await ramekin(["inspect", "nothing", "web"], { engine })).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("no such object: nothing"),
    });
  });
});

describe("ramekin container prune", () => {
  test("[container prune --force] asks unless told not to, in Docker's words", async () => {
    let asked = 0;
    const engine = { pruneContainers: async () => ({ containers: ["abc"], reclaimed: ++asked * 1000 }) };
    expect((await ramekin(["container", "prune"], { engine, stdin: "n\n" })).stdout).toBe(
      "WARNING! This will remove all stopped containers.\nAre you sure you want to continue? [y/N] ",
    );
    expect(asked).toBe(0);
    expect((await ramekin(["container", "prune"], { engine, stdin: "y\n" })).stdout).toContain("Total reclaimed space: 1kB");
    expect((await ramekin(["container", "prune", "-f"], { engine })).stdout).toBe(
      "Deleted Containers:\nabc\n\nTotal reclaimed space: 2kB\n",
    );
  });

  test("[container prune --filter] chooses by age and labels; what is no filter is refused", async () => {
    let given: PruneContainersOptions | undefined;
    const engine = {
      pruneContainers: async (options?: PruneContainersOptions) => {
        given = options;
        return { containers: [], reclaimed: 0 };
      },
    };
    const filters = ["--filter", "until=24h", "--filter", "label=a=1", "--filter", "label!=keep"];
    expect((await ramekin(["container", "prune", "-f", ...filters], { engine })).stdout).toBe("Total reclaimed space: 0B\n");
    expect(Math.abs((given?.until?.getTime() ?? 0) - (Date.now() - 86_400_000))).toBeLessThan(60_000);
    const keeps = (labels: Record<string, string>) => given?.keep?.(containerInfo({ labels }));
    expect([keeps({ a: "1" }), keeps({ a: "2" }), keeps({ a: "1", keep: "" })]).toEqual([false, true, true]);
    expect((await ramekin(["container", "prune", "-f", "--filter", "colour=red"], { engine })).status).not.toBe(0);
  });
});
