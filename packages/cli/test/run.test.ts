import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RamekinError } from "@ramekin/core";
import type { Container, ContainerOptions } from "@ramekin/engine";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { exited, scripted } from "./attachments.ts";
import { container, containerDetails, digest } from "./samples.ts";
import { type RunOptions, ramekin } from "./world.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ramekin-cli-"));
});
afterAll(() => rm(folder, { recursive: true }));

const id = containerDetails().id;

/** `ramekin run` or `create` with an engine whose container does what `methods` say. */
async function run(argv: readonly string[], methods: Partial<Container> = {}, more: RunOptions = {}) {
  let asked: ContainerOptions | undefined;
  const started: unknown[] = [];
  const made = container({
    start: async (options) => void started.push(options),
    wait: async () => exited(0),
    ...methods,
  });
  const ran = await ramekin(argv, {
    engine: {
      create: async (options) => {
        asked = options;
        options.onProgress?.({ digest: digest("e"), mediaType: "x.layer.y", status: "done", current: 1, total: 1 });
        return made;
      },
    },
    ...more,
  });
  return { ...ran, asked, started };
}

describe("ramekin run", () => {
  test("attaches before it starts, passes both outputs on and ends with the container's status", async () => {
    const { attachment } = scripted({ stdout: "out\n", stderr: "err\n" });
    const ran = await run(["run", "-q", "debian", "true"], { attach: async () => attachment, wait: async () => exited(7) });
    expect(ran).toMatchObject({ status: 7, stdout: "out\n", stderr: "err\n", started: [{ attach: true }] });
    expect(ran.asked).toMatchObject({ image: "debian", command: ["true"], stdin: "closed" });
  });

  test("[run --detach] prints the id and leaves the container alone", async () => {
    const ran = await run(["run", "-qd", "debian"]);
    expect(ran).toMatchObject({ status: 0, stdout: `${id}\n`, started: [{}] });
    expect(ran.asked?.stdin).toBe("closed");
    expect((await run(["run", "-dit", "debian"])).asked).toMatchObject({ stdin: "open", tty: true });
  });

  test("[run --interactive] [create --interactive] passes stdin on, and its end", async () => {
    const { attachment, stdinClosed, received } = scripted({ echo: true });
    const ran = await run(["run", "-qi", "debian", "cat"], { attach: async () => attachment }, { stdin: "a line\n" });
    expect(ran).toMatchObject({ status: 0, stdout: "a line\n" });
    expect([received(), stdinClosed()]).toEqual(["a line\n", true]);
    expect(ran.asked?.stdin).toBe("once");
    expect((await run(["create", "-i", "debian"])).asked?.stdin).toBe("once");
    expect((await run(["create", "debian"])).asked?.stdin).toBe("closed");
  });

  test("[run --attach] [create --attach] chooses the streams, and without an output prints the id", async () => {
    const only = await run(["run", "-q", "-a", "stderr", "debian"], {
      attach: async () => scripted({ stdout: "out", stderr: "err" }).attachment,
    });
    expect(only).toMatchObject({ stdout: "", stderr: "err" });
    const input = scripted({ echo: true });
    const write = await run(["run", "-qi", "-a", "STDIN", "debian"], { attach: async () => input.attachment }, { stdin: "x" });
    expect(write).toMatchObject({ stdout: `${id}\n` });
    expect(input.received()).toBe("x");
    expect(await run(["run", "-a", "stdfoo", "debian"])).toMatchObject({
      status: 125,
      stderr: expect.stringContaining("valid streams are"),
    });
    expect(await run(["run", "-d", "-a", "stdout", "debian"])).toMatchObject({
      status: 125,
      stderr: expect.stringContaining("conflicting options"),
    });
    expect((await run(["create", "-i", "--attach", "stdout", "debian"])).asked?.stdin).toBe("open");
  });

  test("[run --tty] needs a terminal where there is stdin", async () => {
    const ran = await run(["run", "-it", "debian"]);
    expect(ran).toMatchObject({ status: 1, asked: undefined, stdout: "" });
    expect(ran.stderr).toMatch(/^ramekin: the input device is not a TTY\n/);
    expect(await run(["run", "-qt", "debian"], { attach: async () => scripted().attachment })).toMatchObject({ status: 0 });
  });

  test("[run --detach-keys] leave the container running", async () => {
    const process = scripted({ stdout: "prompt", endless: true });
    const ran = await run(
      ["run", "-qit", "--detach-keys", "ctrl-x,q", "debian"],
      { attach: async () => process.attachment, wait: () => new Promise(() => {}) },
      { stdin: "ls\n\x18q", inputIsTerminal: true },
    );
    expect(ran).toMatchObject({ status: 0, stdout: "prompt", stderr: expect.stringContaining("read escape sequence") });
    expect([process.received(), process.detached()]).toEqual(["ls\n", true]);
    expect(await run(["run", "--detach-keys", "ctrl-", "debian"])).toMatchObject({ status: 125, asked: undefined });
  });

  test("[run --sig-proxy] passes signals on unless told not to", async () => {
    const kills: unknown[] = [];
    const once = async (flag: string) => {
      const process = scripted({ echo: true });
      const { promise: began, resolve: begin } = Promise.withResolvers<void>();
      const running = run(["run", "-q", flag, "debian"], {
        attach: async () => {
          begin();
          return process.attachment;
        },
        kill: async (signal) => {
          kills.push(signal);
          await process.attachment.stdin.close();
        },
      });
      await began;
      return { running, process };
    };
    const { running } = await once("--sig-proxy=true");
    process.kill(process.pid, "SIGUSR2");
    expect((await running).status).toBe(0);
    expect(kills).toEqual(["SIGUSR2"]);
    const before = process.listenerCount("SIGUSR2");
    const silent = await once("--sig-proxy=false");
    expect(process.listenerCount("SIGUSR2")).toBe(before);
    await silent.process.attachment.stdin.close();
    await silent.running;
  });

  test("[run --cidfile] [create --cidfile] holds the id, and is never another's", async () => {
    const path = join(folder, "cid");
    await run(["run", "-qd", "--cidfile", path, "debian"]);
    expect(await readFile(path, "utf8")).toBe(id);
    expect(await run(["run", "-d", "--cidfile", path, "debian"])).toMatchObject({
      status: 125,
      asked: undefined,
      stderr: expect.stringContaining("container ID file found"),
    });
    const other = join(folder, "other");
    expect(await run(["create", "--cidfile", other, "debian"])).toMatchObject({ status: 0, stdout: `${id}\n` });
    expect(await readFile(other, "utf8")).toBe(id);
  });

  test("[run --cidfile] leaves nothing when there is no container", async () => {
    const path = join(folder, "none");
    const engine = {
      create: async () => {
        throw new RamekinError("NOT_FOUND", "no such image: nope", { hint: "look again" });
      },
    };
    const ran = await ramekin(["run", "--cidfile", path, "nope"], { engine });
    expect(ran).toMatchObject({ status: 125, stdout: "", stderr: "ramekin: no such image: nope\nhint: look again\n" });
    await expect(readFile(path)).rejects.toThrow("ENOENT");
    await writeFile(path, "");
  });

  test("[run --quiet] [create --quiet] [run --pull] says what is fetched unless told not to", async () => {
    const loud = await run(["run", "-d", "debian:12"]);
    expect(loud.stderr).toBe("Unable to find image 'debian:12' locally\neeeeeeeeeeee: Download complete\n");
    expect((await run(["run", "-d", "--pull", "always", "debian:12"])).stderr).toBe("eeeeeeeeeeee: Download complete\n");
    expect((await run(["run", "-d", "-q", "debian:12"])).stderr).toBe("");
    expect((await run(["create", "--quiet", "debian:12"])).stderr).toBe("");
    expect(await run(["run", "--pull", "perhaps", "debian"])).toMatchObject({ status: 125, asked: undefined });
  });

  test.each([
    ["COMMAND_NOT_FOUND", 127],
    ["COMMAND_NOT_EXECUTABLE", 126],
    ["INTERNAL", 125],
  ] as const)("%s ends with %i", async (code, status) => {
    const start = async () => {
      throw new RamekinError(code, "no");
    };
    expect(await run(["run", "-q", "debian", "nope"], { start })).toMatchObject({ status });
  });

  test("[run --rm] takes a container away that could not start, and only then", async () => {
    let removed = 0;
    const start = async () => {
      throw new RamekinError("COMMAND_NOT_FOUND", "no");
    };
    const remove = async () => void removed++;
    const created = async () => containerDetails({ status: "created", startedAt: undefined as unknown as Date });
    const neverStarted = async () => {
      const { startedAt: _, ...rest } = await created();
      return rest;
    };
    expect(await run(["run", "-q", "--rm", "debian"], { start, remove, inspect: neverStarted })).toMatchObject({ status: 127 });
    expect(removed).toBe(1);
    await run(["run", "-q", "debian"], { start, remove, inspect: neverStarted });
    expect(removed).toBe(1);
  });

  test("an unknown flag ends with 125 and asks for nothing", async () => {
    expect(await run(["run", "--foo", "debian"])).toMatchObject({
      status: 125,
      asked: undefined,
      stderr: expect.stringContaining(
        "unknown flag: --foo\n\nUsage:  ramekin run [OPTIONS] IMAGE [COMMAND] [ARG...]\n\nSee 'ramekin run --help'.",
      ),
    });
    expect(await run(["run"])).toMatchObject({ status: 1, stderr: expect.stringContaining("requires at least 1 argument") });
    expect(await run(["run", "-p", "80:80", "debian"])).toMatchObject({
      status: 125,
      stderr: expect.stringContaining("network driver bridge"),
    });
  });
});

describe("ramekin exec", () => {
  async function exec(argv: readonly string[], { code = 0, stdin = "", inputIsTerminal = false, process = scripted() } = {}) {
    const calls: unknown[] = [];
    const ran = await ramekin(["exec", ...argv], {
      stdin,
      inputIsTerminal,
      environment: { HOME: "/home/me" },
      engine: {
        container: async () =>
          container({
            exec: async (command, options = {}) => {
              const { signal: _, ...rest } = options;
              calls.push(command, rest);
              return {
                id: "1",
                attachment: options.detach ? undefined : process.attachment,
                stdout: process.attachment.stdout,
                stderr: process.attachment.stdout,
                kill: async () => {},
                resize: async () => {},
                wait: async () => exited(code),
                async [Symbol.asyncDispose]() {},
              };
            },
          }),
      },
    });
    return { ...ran, calls };
  }

  test("ends with the command's status", async () => {
    const ran = await exec(["web", "sh", "-c", "exit 3"], { code: 3, process: scripted({ stdout: "out", stderr: "err" }) });
    expect(ran).toMatchObject({ status: 3, stdout: "out", stderr: "err" });
    expect(ran.calls).toEqual([["sh", "-c", "exit 3"], { env: {}, tty: false, stdin: "closed", privileged: false, detach: false }]);
  });

  test("[exec --interactive] passes stdin on", async () => {
    const ran = await exec(["-i", "web", "cat"], { stdin: "in", process: scripted({ echo: true }) });
    expect(ran).toMatchObject({ stdout: "in" });
    expect(ran.calls[1]).toMatchObject({ stdin: "once" });
  });

  test("[exec --env] [exec --env-file] [exec --user] [exec --workdir] [exec --privileged]", async () => {
    const path = join(folder, "exec.env");
    await writeFile(path, "A=1\nB=2\n");
    const { calls } = await exec([
      "-e",
      "A=9",
      "-e",
      "HOME",
      "--env-file",
      path,
      "-u",
      "me:us",
      "-w",
      "/srv",
      "--privileged",
      "web",
      "env",
    ]);
    expect(calls[1]).toMatchObject({ env: { A: "9", B: "2", HOME: "/home/me" }, user: "me:us", workdir: "/srv", privileged: true });
  });

  test("[exec --detach] does not wait", async () => {
    const ran = await exec(["-d", "web", "sleep", "9"]);
    expect(ran).toMatchObject({ status: 0, stdout: "" });
    expect(ran.calls[1]).toMatchObject({ detach: true });
  });

  test("[exec --tty] needs a terminal, [exec --detach-keys] leave it", async () => {
    expect(await exec(["-it", "web", "sh"])).toMatchObject({ status: 1, calls: [], stderr: expect.stringContaining("not a TTY") });
    const process = scripted({ endless: true });
    const ran = await exec(["-it", "--detach-keys", "q", "web", "sh"], { stdin: "q", inputIsTerminal: true, process });
    expect(ran).toMatchObject({ status: 0, calls: [["sh"], { tty: true }] });
    expect(process.detached()).toBe(true);
  });
});

describe("ramekin start and attach", () => {
  const details = (fields: { tty?: boolean; stdin?: "open" | "closed" }, status: "exited" | "running" | "paused" = "exited") => {
    const base = containerDetails({ status });
    return { ...base, config: { ...base.config, options: { image: "x", ...fields } } };
  };

  test("start prints the names as they were typed", async () => {
    const started: string[] = [];
    const engine = { container: async (name: string) => container({ start: async () => void started.push(name) }) };
    expect(await ramekin(["start", "a", "b"], { engine })).toMatchObject({ status: 0, stdout: "a\nb\n" });
    expect(started).toEqual(["a", "b"]);
  });

  test("[start --attach] ends with the container's status", async () => {
    const methods: Partial<Container> = {
      inspect: async () => details({}),
      start: async () => {},
      attach: async () => scripted({ stdout: "out" }).attachment,
      wait: async () => exited(5),
    };
    expect(await ramekin(["start", "-a", "web"], { engine: { container: async () => container(methods) } })).toMatchObject({
      status: 5,
      stdout: "out",
    });
    expect(await ramekin(["start", "-a", "a", "b"], { engine: {} })).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("multiple containers"),
    });
  });

  test("[start --interactive] [start --detach-keys] pass stdin on to a container that takes it", async () => {
    for (const stdin of ["open", "closed"] as const) {
      const process = scripted({ echo: stdin === "open" });
      const methods: Partial<Container> = {
        inspect: async () => details({ stdin }),
        start: async () => {},
        attach: async () => process.attachment,
        wait: async () => exited(0),
      };
      await ramekin(["start", "-i", "web"], { stdin: "in", engine: { container: async () => container(methods) } });
      expect(process.received()).toBe(stdin === "open" ? "in" : "");
    }
    const process = scripted({ endless: true });
    const methods: Partial<Container> = {
      inspect: async () => details({ stdin: "open", tty: true }),
      start: async () => {},
      attach: async () => process.attachment,
      wait: () => new Promise(() => {}),
    };
    const ran = await ramekin(["start", "-ai", "--detach-keys", "x", "web"], {
      stdin: "x",
      inputIsTerminal: true,
      engine: { container: async () => container(methods) },
    });
    expect([ran.status, process.detached()]).toEqual([0, true]);
  });

  test("[attach --no-stdin] [attach --sig-proxy] [attach --detach-keys]", async () => {
    const attach = async (argv: readonly string[], process = scripted({ stdout: "out" }), tty = false) => {
      const before = globalThis.process.listenerCount("SIGUSR2");
      let during = 0;
      const methods: Partial<Container> = {
        inspect: async () => details({ stdin: "open", tty }, "running"),
        attach: async () => {
          during = globalThis.process.listenerCount("SIGUSR2") - before;
          return process.attachment;
        },
        wait: async () => exited(4),
      };
      const ran = await ramekin(["attach", ...argv, "web"], {
        stdin: "in",
        inputIsTerminal: tty,
        engine: { container: async () => container(methods) },
      });
      return { ...ran, proxied: during > 0, received: process.received() };
    };
    expect(await attach([], scripted({ echo: true }))).toMatchObject({ status: 4, stdout: "in", received: "in", proxied: true });
    expect(await attach(["--no-stdin"])).toMatchObject({ status: 4, stdout: "out", received: "" });
    expect(await attach(["--sig-proxy=false", "--no-stdin"])).toMatchObject({ proxied: false });
    expect(await attach(["--detach-keys", "i,n"], scripted({ endless: true }), true)).toMatchObject({
      status: 0,
      received: "",
      proxied: false,
    });
  });

  test("attach wants a container that runs", async () => {
    for (const [status, message] of [
      ["exited", "stopped container"],
      ["paused", "paused container"],
    ] as const) {
      const engine = { container: async () => container({ inspect: async () => details({}, status) }) };
      expect(await ramekin(["attach", "web"], { engine })).toMatchObject({ status: 1, stderr: expect.stringContaining(message) });
    }
  });
});
