import { describe, expect, test } from "vitest";
import { checkArguments, parse } from "../src/argv/parse.ts";
import { UsageError } from "../src/argv/status-error.ts";
import { defineVerb } from "../src/verb.ts";

const grammar = {
  flags: {
    env: { type: "list", short: "e", summary: "" },
    interactive: { type: "boolean", short: "i", summary: "" },
    proxy: { type: "boolean", default: true, summary: "" },
    tty: { type: "boolean", short: "t", summary: "" },
    name: { type: "string", summary: "" },
    pull: { type: "string", choices: ["always", "never"], default: "always", summary: "" },
    last: { type: "int", short: "n", default: -1, summary: "" },
    memory: { type: "bytes", short: "m", summary: "" },
    cpus: { type: "decimal", summary: "" },
  },
  refused: { publish: { short: "p", reason: "no bridge", hint: "use the host's" } },
  stopAtArgument: true,
} as const;

const read = (...argv: string[]) => parse(argv, grammar);
const message = (...argv: string[]) => {
  try {
    read(...argv);
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  return "no error";
};

describe("reading a command line", () => {
  test("defaults hold where nothing is said", () => {
    expect(read().flags).toEqual({
      env: [],
      interactive: false,
      proxy: true,
      tty: false,
      name: undefined,
      pull: "always",
      last: -1,
      memory: undefined,
      cpus: undefined,
    });
  });

  test("short flags cluster, and the last of a cluster may take a value", () => {
    expect(read("-it").flags).toMatchObject({ interactive: true, tty: true });
    expect(read("-itn", "3").flags).toMatchObject({ interactive: true, tty: true, last: 3 });
    expect(read("-itn3").flags).toMatchObject({ last: 3, tty: true });
  });

  test("a value stands behind its flag, in it, or after an equals sign", () => {
    expect(read("-eA=1", "-e", "B=2", "-e=C=3", "--env=D=4", "--env", "E=5").flags.env).toEqual(["A=1", "B=2", "C=3", "D=4", "E=5"]);
    expect(read("--name", "--tty").flags).toMatchObject({ name: "--tty", tty: false });
    expect(read("--name=").flags.name).toBe("");
  });

  test("a boolean takes a value only behind an equals sign", () => {
    expect(read("--proxy=false", "-i=0", "-t", "false")).toMatchObject({
      flags: { proxy: false, interactive: false, tty: true },
      arguments: ["false"],
    });
  });

  test("the last one wins", () => {
    expect(read("--name", "a", "--name", "b").flags.name).toBe("b");
  });

  test("the first argument ends the flags where the verb says so", () => {
    expect(read("-i", "image", "-t", "--name").arguments).toEqual(["image", "-t", "--name"]);
    expect(parse(["a", "-i", "b"], { flags: grammar.flags })).toMatchObject({ flags: { interactive: true }, arguments: ["a", "b"] });
  });

  test("-- ends the flags and a single - is an argument", () => {
    expect(read("-i", "--", "-t").arguments).toEqual(["-t"]);
    expect(read("-", "x").arguments).toEqual(["-", "x"]);
    expect(parse(["a", "--", "-i"], { flags: grammar.flags })).toMatchObject({ flags: { interactive: false }, arguments: ["a", "-i"] });
  });

  test("numbers, sizes and choices are checked", () => {
    expect(read("-m", "64m", "--cpus", "1.5", "-n", "-2", "--pull", "never").flags).toMatchObject({
      memory: 64 << 20,
      cpus: 1.5,
      last: -2,
      pull: "never",
    });
    expect(message("-m", "abc")).toBe(`invalid argument "abc" for "-m, --memory" flag: invalid size: 'abc'`);
    expect(message("-n", "many")).toBe(`invalid argument "many" for "-n, --last" flag: not a whole number`);
    expect(message("--cpus", "1e3")).toBe(`invalid argument "1e3" for "--cpus" flag: not a decimal number`);
    expect(message("--pull", "soon")).toBe(`invalid argument "soon" for "--pull" flag: must be one of "always" or "never"`);
    expect(message("--tty=maybe")).toBe(`invalid argument "maybe" for "-t, --tty" flag: neither true nor false`);
  });

  test("what is unknown, unfinished or refused says so", () => {
    expect(message("--foo=1")).toBe("unknown flag: --foo");
    expect(message("-ix")).toBe("unknown shorthand flag: 'x' in -ix");
    expect(message("--=1")).toBe("bad flag syntax: --=1");
    expect(message("--name")).toBe("flag needs an argument: --name");
    expect(message("-ie")).toBe("flag needs an argument: 'e' in -ie");
    expect(message("-p", "80:80")).toBe("-p, --publish: no bridge");
    expect(message("--publish=80")).toBe("-p, --publish: no bridge");
    expect(message("--constructor")).toBe("unknown flag: --constructor");
  });

  test("--help wins over what follows, and -h is help where it means nothing else", () => {
    expect(read("--help", "--foo").help).toBe(true);
    expect(read("-h").help).toBe(true);
    expect(parse(["-h", "name"], { flags: { hostname: { type: "string", short: "h", summary: "" } } })).toMatchObject({
      help: false,
      flags: { hostname: "name" },
    });
  });
});

describe("counting arguments", () => {
  const verb = (...args: { optional?: boolean; repeats?: boolean }[]) =>
    defineVerb({
      name: "try",
      group: "system",
      summary: "",
      arguments: args.map((each) => ({ name: "X", summary: "", ...each })),
      flags: {},
      examples: [],
      hot: true,
      run: async () => 0,
    });

  test.each([
    [[], 1, "'ramekin try' accepts no arguments"],
    [[{}], 0, "'ramekin try' requires 1 argument"],
    [[{}, {}], 3, "'ramekin try' requires 2 arguments"],
    [[{ repeats: true }], 0, "'ramekin try' requires at least 1 argument"],
    [[{ optional: true }], 2, "'ramekin try' requires at most 1 argument"],
  ] as const)("%j with %i", (args, given, expected) => {
    expect(() => checkArguments(verb(...args), given)).toThrow(expected);
  });

  test("as many as fit", () => {
    checkArguments(verb({}, { optional: true, repeats: true }), 7);
    checkArguments(verb({ optional: true }), 0);
  });
});
