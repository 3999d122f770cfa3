import type { Extensions, Plugin, PluginContext, Provider, Support } from "@ramekin/core";
import { expect, test } from "vitest";
import { createKernel, type KernelOptions } from "../../src/kernel/kernel.ts";
import type { Preference } from "../../src/kernel/select.ts";
import { expectError } from "../bed.ts";

type Network = Extensions["network"];
const right: Network = { namespace: "private" };
const provider = (
  support: Support | undefined,
  create: (context: PluginContext) => Promise<Network> | Network = () => ({ ...right }),
  maxRank?: number,
): Provider<"network"> => ({
  ...(support && { probe: () => support }),
  ...(maxRank !== undefined && { maxRank }),
  create,
});
const plugin = (network: Record<string, Provider<"network">>, name = "plugin"): Plugin => ({ name, provides: { network } });

function kernelOf(plugins: readonly Plugin[], preference?: Preference, rest: Partial<KernelOptions> = {}) {
  const warnings: string[] = [];
  const kernel = createKernel(plugins, {
    root: "/nonexistent/root",
    runRoot: "/nonexistent/run",
    signal: new AbortController().signal,
    warn: (message) => warnings.push(message),
    preference: async () => preference,
    ...rest,
  });
  return Object.assign(kernel, { warnings });
}
const yes = (rank?: number): Support => ({ ok: true, ...(rank !== undefined && { rank }) });
const no: Support = { ok: false, reason: "no such kernel", hint: "install one" };

test("the best rank that works here is chosen; among equals, the earlier plugin", async () => {
  const kernel = kernelOf([plugin({ low: provider(yes(1)), absent: provider(no), high: provider(yes(9)), same: provider(yes(9)) })]);
  expect((await kernel.choose("network")).name).toBe("high");
});

test("a preference beats the rank, and a name beats both", async () => {
  const kernel = kernelOf([plugin({ low: provider(yes(1)), high: provider(yes(9)), other: provider(undefined) })], {
    names: ["low"],
    from: "RAMEKIN_NETWORK",
  });
  expect((await kernel.choose("network")).name).toBe("low");
  expect((await kernel.choose("network", "other")).name).toBe("other");
});

test("what cannot be had says why, and who asked for it", async () => {
  const plugins = [plugin({ broken: provider(no) })];
  await expectError(kernelOf(plugins).use("network"), "UNSUPPORTED", "no driver of network works here");
  await expectError(
    kernelOf(plugins, { names: ["broken"], from: "config.toml" }).use("network"),
    "UNSUPPORTED",
    /broken \(from config.toml\) does not work here: no such kernel/,
  );
  await expectError(kernelOf(plugins).use("network", "absent"), "NOT_FOUND", "no network driver is named absent");
  await expectError(kernelOf([]).use("network"), "UNSUPPORTED", "no plugin provides network");
  const reasons = await kernelOf(plugins)
    .use("network")
    .catch((error) => error.errors.map(({ message }: Error) => message));
  expect(reasons).toEqual(["broken: no such kernel"]);
});

test("a probe that throws says no", async () => {
  const throwing: Provider<"network"> = {
    probe: () => {
      throw new Error("boom");
    },
    create: () => right,
  };
  expect((await kernelOf([plugin({ throwing, fine: provider(undefined) })]).choose("network")).name).toBe("fine");
});

test("whoever cannot win is not asked", async () => {
  const asked: string[] = [];
  const asking = (name: string, rank: number, maxRank: number): Provider<"network"> => ({
    maxRank,
    probe: () => {
      asked.push(name);
      return yes(rank);
    },
    create: () => right,
  });
  const kernel = kernelOf([plugin({ second: asking("second", 10, 10), first: asking("first", 5, 100), third: asking("third", 1, 4) })]);
  expect((await kernel.choose("network")).name).toBe("second");
  expect(asked).toEqual(["first", "second"]);
});

test("kinds with a subject are chosen by it", async () => {
  const digester = (algorithm: "sha256" | "sha512") => ({
    for: algorithm,
    create: () => ({ algorithm, create: () => ({ update() {}, digest: () => `${algorithm}:` as const }) }),
  });
  const plugins: Plugin[] = [{ name: "p", provides: { digester: { a: digester("sha256"), b: digester("sha512") } } }];
  expect((await kernelOf(plugins).use("digester", { for: "sha512" })).algorithm).toBe("sha512");
  // A preference that does not serve the subject is no preference for it.
  expect((await kernelOf(plugins, { names: ["a"], from: "a test" }).choose("digester", { for: "sha512" })).name).toBe("b");
});

test("made once, when first used, and disposed in reverse", async () => {
  const log: string[] = [];
  const traced = (name: string, uses?: string): Provider<"network"> => ({
    async create(context) {
      if (uses) await context.use("network", uses);
      log.push(`make ${name}`);
      return {
        ...right,
        async [Symbol.asyncDispose]() {
          log.push(`close ${name}`);
        },
      };
    },
  });
  const kernel = kernelOf([plugin({ top: traced("top", "base"), base: traced("base"), unused: traced("unused") })]);
  const [one, two] = await Promise.all([kernel.use("network", "top"), kernel.use("network", "top")]);
  expect(one).toBe(two);
  await kernel[Symbol.asyncDispose]();
  expect(log).toEqual(["make base", "make top", "close top", "close base"]);
  await expectError(kernel.use("network", "top"), "FAILED_PRECONDITION", "closed");
});

test("a creation that failed is tried again", async () => {
  let tries = 0;
  const flaky: Provider<"network"> = {
    create: () => {
      if (tries++ === 0) throw new Error("not yet");
      return right;
    },
  };
  const kernel = kernelOf([plugin({ flaky })]);
  await expect(kernel.use("network")).rejects.toThrow("not yet");
  expect(await kernel.use("network")).toBe(right);
});

test.for([
  ["by themselves", { a: ["a"] }, "network a → network a"],
  ["in a ring", { a: ["b"], b: ["c"], c: ["a"] }, "network c → network a → network b → network c"],
] as const)("plugins that wait for each other %s are told so", async ([, uses, cycle]) => {
  const waiting = (names: readonly string[]): Provider<"network"> => ({
    async create(context) {
      for (const name of names) await context.use("network", name);
      return right;
    },
  });
  const kernel = kernelOf([plugin(Object.fromEntries(Object.entries(uses).map(([name, names]) => [name, waiting(names)])))]);
  await expectError(kernel.use("network", "a"), "FAILED_PRECONDITION", cycle);
});

test("a cycle is found though its two halves were started apart", async () => {
  const waiting = (name: string): Provider<"network"> => ({
    async create(context) {
      await new Promise((done) => setTimeout(done, 10));
      await context.use("network", name);
      return right;
    },
  });
  const kernel = kernelOf([plugin({ a: waiting("b"), b: waiting("a") })]);
  const results = await Promise.allSettled([kernel.use("network", "a"), kernel.use("network", "b")]);
  expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
});

test("useAll: all that work, best first; one that fails to be made is left out, aloud", async () => {
  const failing: Provider<"network"> = {
    create: () => {
      throw new Error("no luck");
    },
  };
  const kernel = kernelOf([plugin({ low: provider(yes(1)), high: provider(yes(2)), absent: provider(no), failing })]);
  expect([...(await kernel.useAll("network")).keys()]).toEqual(["high", "low"]);
  expect(kernel.warnings).toEqual(["network driver failing was left out: no luck"]);
});

test("two plugins cannot claim one name", () => {
  expect(() => kernelOf([plugin({ a: provider(undefined) }, "one"), plugin({ a: provider(undefined) }, "two")])).toThrow(
    "network driver a of plugin two is provided by one already",
  );
});
