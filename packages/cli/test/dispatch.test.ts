import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { RamekinError } from "@ramekin/core";
import { describe, expect, test } from "vitest";
import { loadVerbs, topics, verbEntries } from "../src/verbs/index.ts";
import { ramekin } from "./world.ts";

const verbs = await loadVerbs();

describe("global flags", () => {
  const engine = { containers: async () => [] };

  test("stand before the verb and choose the engine's place and drivers", async () => {
    const argv = ["--root", "/r", "--runroot=/rr", "--storage-driver", "vfs", "--isolation", "oci", "ps"];
    expect((await ramekin(argv, { engine })).engineOptions).toMatchObject({
      root: "/r",
      runRoot: "/rr",
      drivers: { storage: "vfs", isolation: "oci" },
    });
    expect((await ramekin(["ps"], { engine })).engineOptions).toMatchObject({ drivers: {} });
    expect(await ramekin(["ps", "--root", "/r"], { engine })).toMatchObject({
      status: 125,
      stderr: expect.stringContaining("unknown flag: --root"),
    });
  });

  test("--log-level debug shows where an error comes from", async () => {
    const failing = {
      containers: async () => {
        throw new RamekinError("DATA_LOSS", "state is torn", { cause: new Error("bad json") });
      },
    };
    expect((await ramekin(["ps"], { engine: failing })).stderr).toBe("ramekin: state is torn\n");
    const debug = (await ramekin(["--log-level", "debug", "ps"], { engine: failing })).stderr;
    expect(debug).toContain("[DATA_LOSS]");
    expect(debug).toContain("caused by: Error: bad json");
    expect(await ramekin(["ps"], { engine: failing, environment: { RAMEKIN_LOG_LEVEL: "debug" } })).toMatchObject({
      stderr: expect.stringContaining("[DATA_LOSS]"),
    });
    expect(await ramekin(["ps"], { engine, environment: { RAMEKIN_LOG_LEVEL: "loud" } })).toMatchObject({ status: 125 });
    expect(await ramekin(["-l", "loud", "ps"], { engine })).toMatchObject({ status: 125 });
  });

  test("warnings go to stderr unless only errors are wanted", async () => {
    const ps = async (level: string) => {
      const ran = await ramekin(["-l", level, "ps"], {
        engine: { containers: async () => [] },
        onOpen: ({ onWarning }) => onWarning?.("something is odd"),
      });
      return ran.stderr;
    };
    expect(await ps("warn")).toBe("ramekin: warning: something is odd\n");
    expect(await ps("error")).toBe("");
  });
});

describe("help", () => {
  test("of everything, of a topic, of a verb, in every spelling", async () => {
    const all = (await ramekin(["--help"])).stdout;
    expect(all).toMatch(/^Usage: {2}ramekin \[OPTIONS\] COMMAND\n/);
    for (const argv of [[], ["help"], ["-h"]]) expect((await ramekin(argv)).stdout).toBe(all);
    for (const { name } of verbs.filter(({ name }) => !name.includes(" "))) expect(all).toMatch(new RegExp(`^ {2}${name} `, "m"));
    for (const topic of Object.keys(topics)) {
      const text = (await ramekin([topic])).stdout;
      expect(text).toContain(`Usage:  ramekin ${topic} COMMAND`);
      expect((await ramekin([topic, "--help"])).stdout).toBe(text);
      expect((await ramekin(["help", topic])).stdout).toBe(text);
    }
    const run = (await ramekin(["run", "--help"])).stdout;
    expect(run).toMatch(/^ {2}-d, --detach {2,}Run container in background and print\s+container ID$/m);
    expect(run).not.toContain("--publish");
    expect((await ramekin(["help", "run"])).stdout).toBe(run);
    expect((await ramekin(["container", "run", "--help"])).stdout).toBe(run);
    expect((await ramekin(["system", "prune", "--help"])).stdout).toContain("Usage:  ramekin system prune [OPTIONS]");
  });

  test("a verb is the same by each of its names", async () => {
    const names = verbEntries.filter(({ paths }) => paths.length > 1);
    expect(names.length).toBeGreaterThan(10);
    for (const { paths } of names) {
      const [text, ...others] = await Promise.all(paths.map(async (path) => (await ramekin([...path.split(" "), "--help"])).stdout));
      expect(text).toContain(`Usage:  ramekin ${paths[0]}`);
      for (const other of others) expect(other).toBe(text);
    }
  });

  test("what is not there has a neighbour", async () => {
    expect(await ramekin(["imagse"])).toMatchObject({
      status: 1,
      stderr: "ramekin: unknown command: ramekin imagse\nhint: did you mean ramekin images?\n",
    });
    expect(await ramekin(["container", "frob"])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("unknown command: ramekin container frob"),
    });
    expect(await ramekin(["--frob"])).toMatchObject({ status: 125, stderr: expect.stringContaining("unknown flag: --frob") });
  });
});

describe("verbs that oclif dispatches", () => {
  const report = { kind: "storage", package: "", selected: false } as const;
  const needed = ["content", "digester", "codec", "applier", "storage", "isolation", "network", "log"] as const;
  const working = needed.map((kind) => ({ ...report, kind, name: `my-${kind}`, ok: true, selected: true }));

  test("[doctor --json] says what works, and the status whether a container can run", async () => {
    const broken = { ...report, kind: "isolation", name: "linux", ok: false, reason: "no user namespaces", hint: "enable them" } as const;
    const good = await ramekin(["doctor"], { engine: { doctor: async () => [...working, broken] } });
    expect(good).toMatchObject({ status: 0, stdout: expect.stringContaining("A container can run here.") });
    expect(good.stdout).toMatch(/✓ my-storage +used by default/);
    expect(good.stdout).toMatch(/✗ linux +no user namespaces\n +→ enable them/);
    const without = working.filter(({ kind }) => kind !== "isolation");
    const bad = await ramekin(["doctor"], { engine: { doctor: async () => [...without, broken] } });
    expect(bad).toMatchObject({ status: 1, stdout: expect.stringContaining("nothing works for isolation (runs containers)") });
    const json = await ramekin(["doctor", "--json"], { engine: { doctor: async () => [...without, broken] } });
    expect(json.status).toBe(1);
    expect(JSON.parse(json.stdout)).toMatchObject({ ok: false, missing: ["isolation"], drivers: expect.arrayContaining([broken]) });
  });

  test("their own flags are checked like everybody's", async () => {
    expect(await ramekin(["doctor", "--foo"])).toMatchObject({
      status: 125,
      stderr: expect.stringContaining("See 'ramekin doctor --help'."),
    });
    expect(await ramekin(["completion"])).toMatchObject({ status: 1, stderr: expect.stringContaining("requires 1 argument") });
  });
});

describe("version and info", () => {
  test("[version --format]", async () => {
    expect((await ramekin(["version", "--format", "{{.Client.Version}} {{.Server.Os}}"])).stdout).toMatch(/^\d+\.\d+\.\d+ linux\n$/);
    expect(JSON.parse((await ramekin(["version", "-f", "json"])).stdout)).toHaveProperty("Server.Version");
    expect((await ramekin(["--version"])).stdout).toMatch(/^ramekin version \d/);
    expect(await ramekin(["version", "--format", "{{.Nope}}"])).toMatchObject({ status: 1 });
  });

  test("[info --format]", async () => {
    const engine = {
      info: async () => ({
        root: "/r",
        runRoot: "/rr",
        rootless: false,
        containers: { running: 1, paused: 2, stopped: 3 },
        images: 4,
        drivers: { storage: "vfs" },
        cgroup: "v2" as const,
        kernel: "6.18",
        cpus: 2,
        memory: 25_139_200_000,
      }),
    };
    expect((await ramekin(["info", "--format", "{{.Containers}} {{.Driver}} {{.DockerRootDir}}"], { engine })).stdout).toBe("6 vfs /r\n");
    expect((await ramekin(["system", "info"], { engine })).stdout).toContain(" Paused: 2\n");
    expect((await ramekin(["info"], { engine })).stdout).toContain("Total Memory: 23.41GiB\n");
  });
});

describe("what a start costs", () => {
  const run = promisify(execFile);
  const main = join(import.meta.dirname, "..", "src", "main.ts");

  /** Every module that one command line loads, from a process of its own. */
  async function loaded(...argv: string[]): Promise<string[]> {
    const hook = join(import.meta.dirname, "module-list.mjs");
    const args = ["--conditions=ramekin-source", "--import", hook, main, "--root", "/nonexistent/ramekin", ...argv];
    const { stderr } = await run(process.execPath, args, { env: { ...process.env, NODE_OPTIONS: "" } }).catch((error) => error);
    const line = String(stderr)
      .split("\n")
      .find((each) => each.startsWith("modules: "));
    if (line === undefined) throw new Error(`no list of modules: ${stderr}`);
    return JSON.parse(line.slice("modules: ".length));
  }

  const hot = verbs.filter(({ hot }) => hot).map(({ name }) => name);

  test("the everyday verbs are hot", () => {
    expect(hot).toEqual(
      expect.arrayContaining(["run", "exec", "start", "stop", "ps", "logs", "images", "pull", "rm", "kill", "inspect", "version"]),
    );
  });

  test.each(hot)("%s loads no module of oclif", async (name) => {
    const modules = await loaded(...name.split(" "), "--help");
    expect(modules.some((url) => url.endsWith("/src/dispatch.ts"))).toBe(true);
    expect(modules.filter((url) => url.includes("oclif"))).toEqual([]);
  });

  test("nor do they when they do something", async () => {
    for (const argv of [["version"], ["ps"], ["run", "x"]])
      expect((await loaded(...argv)).filter((url) => url.includes("oclif"))).toEqual([]);
  });

  test("and the list would show it", async () => {
    expect((await loaded("doctor", "--help")).filter((url) => url.includes("@oclif/core")).length).toBeGreaterThan(10);
  });

  test("an everyday verb loads its own declaration only", async () => {
    const modules = await loaded("version");
    expect(modules.filter((url) => /src\/verbs\/(?!index)/.test(url)).map((url) => url.split("/").at(-1))).toEqual(["version.ts"]);
  });
});
