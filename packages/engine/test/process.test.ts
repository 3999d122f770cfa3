import { expect, test } from "vitest";
import { configuredEnv, numericUser, processArgs, processCwd, processEnv } from "../src/process.ts";
import { parseSignal } from "../src/signals.ts";

const image = { Entrypoint: ["/entry", "-x"], Cmd: ["cmd"] };

test.for([
  ["image alone", image, {}, ["/entry", "-x", "cmd"]],
  ["command replaces Cmd", image, { command: ["a", "b"] }, ["/entry", "-x", "a", "b"]],
  ["entry point drops Cmd", image, { entrypoint: ["/mine"] }, ["/mine"]],
  ["entry point and command", image, { entrypoint: ["/mine"], command: ["a"] }, ["/mine", "a"]],
  ["an empty entry point clears it", image, { entrypoint: [], command: ["a"] }, ["a"]],
  ["so does an empty word", image, { entrypoint: [""], command: ["a"] }, ["a"]],
  ["an empty command is none", image, { command: [] }, ["/entry", "-x", "cmd"]],
  ["an empty argument is one", { Cmd: ["echo"] }, { command: ["echo", ""] }, ["echo", ""]],
] as const)("argv: %s", ([, config, options, args]) => {
  expect(processArgs(config, { image: "i", ...options })).toEqual(args);
});

test("no command at all is refused", () => {
  expect(() => processArgs({}, { image: "i" })).toThrow("no command specified");
});

test("environment: defaults, image, options; the later of a name wins", () => {
  expect(processEnv({ Env: ["PATH=/img", "EMPTY=", "BARE"] }, { env: { A: "1", PATH: "/mine" }, tty: true }, "host")).toEqual([
    "PATH=/mine",
    "HOSTNAME=host",
    "TERM=xterm",
    "EMPTY=",
    "BARE=",
    "A=1",
  ]);
  expect(() => processEnv({}, { env: { "A=B": "1" } }, "host")).toThrow("invalid environment variable");
});

test("environment as it is written down: what was asked for, then what the image adds", () => {
  const env = { TWO: "3", A: "b" };
  expect(configuredEnv(["ONE=1", "TWO=2", "BARE"], { env })).toEqual(["TWO=3", "A=b", "ONE=1", "BARE"]);
  expect(configuredEnv(["ONE=1", "TWO=2", "BARE"], { env, unsetEnv: ["ONE", "BARE"] })).toEqual(["TWO=3", "A=b"]);
  expect(configuredEnv(["ONE=1"], { env, unsetAllEnv: true })).toEqual(["TWO=3", "A=b"]);
  expect(configuredEnv(["ONE=1"], {})).toEqual(["ONE=1"]);
});

test("working directory", () => {
  expect(processCwd({}, undefined)).toBe("/");
  expect(processCwd({ WorkingDir: "app/../srv" }, undefined)).toBe("/srv");
  expect(processCwd({ WorkingDir: "/app" }, "/mine/")).toBe("/mine");
  expect(() => processCwd({}, "mine")).toThrow("not an absolute path");
});

test("users by number need no passwd file", () => {
  expect(numericUser("1000:50")).toEqual({ uid: 1000, gid: 50 });
  expect(numericUser("1000")).toEqual({ uid: 1000, gid: 0 });
  expect(numericUser("www")).toBeUndefined();
  expect(numericUser(undefined)).toBeUndefined();
});

test.for([
  ["SIGTERM", "SIGTERM"],
  ["kill", "SIGKILL"],
  ["15", "SIGTERM"],
  ["SIGRTMIN+3", "SIGRTMIN+3"],
  ["37", "SIGRTMIN+3"],
  ["rtmax-1", "SIGRTMAX-1"],
  ["64", "SIGRTMAX"],
  ["6", "SIGABRT"],
  ["SIGIOT", "SIGABRT"],
  ["29", "SIGIO"],
] as const)("signal %s is %s", ([text, signal]) => {
  expect(parseSignal(text)).toBe(signal);
});

test.for(["", "0", "65", "32", "SIGNOPE", "SIGRTMIN+40"])("signal %j is none", (text) => {
  expect(() => parseSignal(text)).toThrow("unknown signal");
});
