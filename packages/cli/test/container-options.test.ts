import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "../src/argv/parse.ts";
import { containerFlags } from "../src/container/flags.ts";
import { containerOptions } from "../src/container/options.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ramekin-cli-"));
});
afterAll(() => rm(folder, { recursive: true }));

const surroundings = { environment: { HOME: "/home/me" }, workingDirectory: "/here" };

/** What the engine is asked for by a command line of `run` or `create`. */
async function asked(...argv: string[]) {
  const { flags, arguments: words } = parse([...argv], { flags: containerFlags, stopAtArgument: true });
  return await containerOptions(flags, words, surroundings);
}

test("nothing is asked for that was not said", async () => {
  expect(await asked("debian")).toEqual({
    image: "debian",
    pull: "missing",
    env: {},
    labels: {},
    mounts: [],
    tty: false,
    init: false,
    autoRemove: false,
  });
});

test("what follows the image is the command, flags of its own included", async () => {
  expect(await asked("debian", "ls", "--rm", "-l")).toMatchObject({ image: "debian", command: ["ls", "--rm", "-l"], autoRemove: false });
});

test.each([
  ["[run --name] [create --name]", ["--name", "web"], { name: "web" }],
  ["[run --tty] [create --tty]", ["-t"], { tty: true }],
  ["[run --rm] [create --rm]", ["--rm"], { autoRemove: true }],
  ["[run --init] [create --init]", ["--init"], { init: true }],
  ["[run --read-only] [create --read-only]", ["--read-only"], { readOnly: true }],
  ["[run --user] [create --user]", ["-u", "www:33"], { user: "www:33" }],
  ["[run --workdir] [create --workdir]", ["-w", "/srv"], { workdir: "/srv" }],
  ["[run --hostname] [create --hostname]", ["-h", "box"], { hostname: "box" }],
  ["[run --label] [create --label]", ["-l", "a=b", "--label", "c"], { labels: { a: "b", c: "" } }],
  ["[run --env] [create --env]", ["-e", "A=1", "-eHOME", "--env", "NONE"], { env: { A: "1", HOME: "/home/me" } }],
  ["[run --entrypoint] [create --entrypoint]", ["--entrypoint", "/bin/sh"], { entrypoint: ["/bin/sh"] }],
  ["[run --entrypoint] empty clears the image's", ["--entrypoint", ""], { entrypoint: [] }],
  ["[run --pull] [create --pull]", ["--pull", "always"], { pull: "always" }],
  ["[run --platform] [create --platform]", ["--platform", "linux/arm64"], { platform: { os: "linux", architecture: "arm64" } }],
  ["[run --network] [create --network]", ["--network", "host"], { network: "host" }],
  ["[run --memory] [create --memory]", ["-m", "64m"], { resources: { memory: { limit: 64 << 20, swap: 128 << 20 } } }],
  ["[run --cpus] [create --cpus]", ["--cpus", "1.5"], { cpus: 1.5 }],
  ["[run --pids-limit] [create --pids-limit]", ["--pids-limit", "100"], { resources: { pids: { limit: 100 } } }],
  ["[run --pids-limit] -1 is none", ["--pids-limit", "-1"], { resources: { pids: { limit: -1 } } }],
  ["[run --stop-signal] [create --stop-signal]", ["--stop-signal", "INT"], { stopSignal: "SIGINT" }],
  ["[run --stop-timeout] [create --stop-timeout]", ["--stop-timeout", "3"], { stopTimeout: 3 }],
  [
    "[run --volume] [run --mount] [run --tmpfs] in this order",
    ["--tmpfs", "/t", "--mount", "type=tmpfs,dst=/m", "-v", "/a:/v"],
    {
      mounts: [{ target: "/v" }, { target: "/m" }, { target: "/t" }],
    },
  ],
])("%s", async (_, argv, expected) => {
  expect(await asked(...argv, "debian")).toMatchObject(expected);
});

test("[run --env-file] [create --env-file] reads files first, then --env, whatever their order", async () => {
  const path = join(folder, "a.env");
  await writeFile(path, "# mine\nA=file\nB=file\nHOME\n");
  expect((await asked("-e", "A=flag", "--env-file", path, "debian")).env).toEqual({ A: "flag", B: "file", HOME: "/home/me" });
  await expect(asked("--env-file", join(folder, "absent"), "debian")).rejects.toMatchObject({ code: "NOT_FOUND" });
});

test("[run --network] names the driver that is missing", async () => {
  for (const [network, driver] of [
    ["bridge", "bridge"],
    ["default", "bridge"],
    ["pasta", "pasta"],
  ] as const) {
    await expect(asked("--network", network, "debian")).rejects.toMatchObject({
      code: "UNSUPPORTED",
      message: expect.stringContaining(`network driver ${driver}`),
    });
  }
});

test.each([
  ["a relative directory", ["-w", "srv"], "the working directory srv is not absolute"],
  ["a signal that is none", ["--stop-signal", "NOPE"], "no such signal: NOPE"],
  ["a platform that is none", ["--platform", "a/b/c/d"], "invalid platform"],
])("%s is refused", async (_, argv, message) => {
  await expect(asked(...argv, "debian")).rejects.toThrow(message);
});
