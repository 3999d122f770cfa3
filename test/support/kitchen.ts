import { randomUUID } from "node:crypto";
import { existsSync, statSync } from "node:fs";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { cacheFolder } from "./cache.ts";
import { type CommandOptions, command, missing, type Result, type Running, start } from "./command.ts";
import { noImages, type TestImage } from "./images.ts";
import { pty, type Session, type Step } from "./pty.ts";

const repository = join(import.meta.dirname, "../..");
/** The command under test: the built one. RAMEKIN_TEST_CLI names another, which may be its source. */
const main = process.env["RAMEKIN_TEST_CLI"] ?? join(repository, "packages/cli/dist/main.cjs");
const cli = [process.execPath, ...(main.endsWith(".ts") ? ["--conditions=ramekin-source"] : []), main];

/** Why no container can run here. */
export const noKitchen =
  noImages ??
  (process.getuid?.() === 0 ? undefined : "not root") ??
  missing("unshare") ??
  (existsSync(main) ? undefined : `not built: ${main}`);

export interface KitchenOptions {
  readonly images?: readonly TestImage[];
  readonly storage?: string;
  readonly isolation?: string;
}

/** A store of its own and the command that uses it. Disposal removes all containers and demands that nothing stays. */
export interface Kitchen extends AsyncDisposable {
  /** For files of the test; goes away with the kitchen. */
  readonly folder: string;
  readonly root: string;
  readonly runRoot: string;
  readonly env: Readonly<Record<string, string>>;
  /** What stands before the arguments: for scripts that run it. */
  readonly command: readonly string[];
  /** `ramekin ARGS` to its end. */
  ramekin(args: readonly string[], options?: CommandOptions): Promise<Result>;
  /** As `ramekin`; anything but exit code 0 is an error. Resolves with stdout, without the last line break. */
  output(args: readonly string[], options?: CommandOptions): Promise<string>;
  /** Without waiting; stdin stays open. */
  start(args: readonly string[], options?: CommandOptions): Running;
  /** At a terminal. */
  terminal(args: readonly string[], steps: readonly Step[], options?: Parameters<typeof pty>[2]): Promise<Session>;
  /** `inspect` of a container, parsed. */
  inspect<T = Inspected>(name: string): Promise<T>;
  /** What is on disk below root and run root, and mounted, and in cgroups: equal before and after whatever must leave nothing. */
  traces(): Promise<readonly string[]>;
}

/** What tests look at of `ramekin inspect`. */
export interface Inspected {
  readonly Id: string;
  readonly Name: string;
  readonly State: {
    readonly Status: string;
    readonly Pid: number;
    readonly ExitCode: number;
    readonly OOMKilled: boolean;
    readonly Error: string;
  };
  readonly Config: { readonly Labels: Record<string, string>; readonly Hostname: string };
}

export async function kitchen({ images = [], storage, isolation }: KitchenOptions = {}): Promise<Kitchen> {
  // Lower case: to podman and buildah 1.28 the path of a layout is part of a repository's name.
  const folder = join(process.env["RAMEKIN_TEST_FOLDER"] ?? "/var/tmp", `kitchen-${randomUUID()}`);
  await mkdir(folder, { mode: 0o755 });
  const root = join(folder, "root");
  const runRoot = join(folder, "run");
  const home = join(folder, "home");
  const temporary = join(folder, "tmp");
  for (const path of [home, temporary]) await mkdir(path);
  const env = {
    RAMEKIN_ROOT: root,
    RAMEKIN_RUNROOT: runRoot,
    // Nobody's configuration and credentials, and no left-over of ours in anybody's /tmp.
    HOME: home,
    XDG_CONFIG_HOME: join(home, ".config"),
    XDG_RUNTIME_DIR: "",
    TMPDIR: temporary,
    NO_COLOR: "1",
    // One for all: a fresh one, below TMPDIR, costs each start a compilation.
    NODE_COMPILE_CACHE: join(cacheFolder, "compiled"),
    ...(storage !== undefined && { RAMEKIN_STORAGE: storage }),
    ...(isolation !== undefined && { RAMEKIN_ISOLATION: isolation }),
  };
  const withEnv = (options: CommandOptions = {}) => ({ ...options, env: { ...env, ...options.env } });
  const ramekin: Kitchen["ramekin"] = (args, options) => command([...cli, ...args], withEnv(options));
  const output: Kitchen["output"] = async (args, options) => {
    const { code, stdout, stderr } = await ramekin(args, options);
    if (code !== 0) throw new Error(`ramekin ${args.join(" ")}: exit code ${code}\n${stderr}${stdout.slice(-2000)}`);
    return stdout.replace(/\n$/, "");
  };
  const look = async () => [
    ...(await tree(root, folder)),
    ...(await tree(runRoot, folder)),
    ...(await mountsBelow(folder)),
    ...(await tree(temporary, folder)),
  ];

  // What `--rm` takes away goes after the answer: two looks at different moments have to agree.
  const traces = async () => {
    for (let last = ""; ; ) {
      const seen = await look();
      if (seen.join() === last) return seen;
      last = seen.join();
      await sleep(150);
    }
  };

  for (const { folder: layout } of images) await output(["load", "--quiet", "--input", layout]);
  return {
    folder,
    root,
    runRoot,
    env,
    command: cli,
    ramekin,
    output,
    start: (args, options) => start([...cli, ...args], withEnv(options)),
    terminal: (args, steps, options = {}) => pty([...cli, ...args], steps, { ...options, env: { ...env, TERM: "xterm", ...options.env } }),
    inspect: async (name) => JSON.parse(await output(["container", "inspect", name]))[0],
    traces,
    async [Symbol.asyncDispose]() {
      const ids = (await output(["ps", "--all", "--quiet", "--no-trunc"])).split("\n").filter((id) => id !== "");
      if (ids.length > 0) await output(["rm", "--force", ...ids]);
      // The leases of commands that were killed.
      await output(["system", "prune", "--force"]);
      const left = await leftovers({ root, runRoot, folder, temporary });
      await rm(folder, { recursive: true, force: true });
      if (left.length > 0) throw new Error(`after the last container was removed there are still\n${left.join("\n")}`);
    },
  };
}

/** What should not be there once no container is. Supervisors may take a moment to end. */
async function leftovers({
  root,
  runRoot,
  folder,
  temporary,
}: {
  root: string;
  runRoot: string;
  folder: string;
  temporary: string;
}): Promise<string[]> {
  for (let tries = 0; ; tries++) {
    const left = [
      ...(await tree(join(root, "containers"), folder)).filter((path) => !/containers\/(?:names\/)?(?:\.lock)?$/.test(path)),
      ...(await tree(join(root, "leases"), folder)).filter((path) => !/leases\/$/.test(path)),
      // What has bytes may go on where it was; an empty beginning is of no use. One that was killed before it had its name goes after an hour.
      ...(await tree(join(root, "images/ingest"), folder)).filter(
        (path) => path.endsWith("/data") && !path.includes("/ingest/.new-") && statSync(join(folder, path)).size === 0,
      ),
      ...(await tree(join(runRoot, "containers"), folder)).filter((path) => !/containers\/$/.test(path)),
      ...(await tree(temporary, folder)).filter((path) => path !== "tmp/"),
      ...(await mountsBelow(folder)),
      ...(await processesOf(folder)),
    ];
    if (left.length === 0 || tries >= 30) return left;
    await sleep(100);
  }
}

/** Paths below `folder`, relative to `from`, directories with a slash. Content of snapshots is not listed, only the snapshots are. */
async function tree(folder: string, from: string): Promise<string[]> {
  const found: string[] = [];
  const visit = async (path: string, depth: number) => {
    const entries = await readdir(path, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT" || error.code === "ENOTDIR") return [];
      throw error;
    });
    for (const entry of entries) {
      const child = join(path, entry.name);
      found.push(child.slice(from.length + 1) + (entry.isDirectory() ? "/" : ""));
      if (entry.isDirectory() && depth < 4) await visit(child, depth + 1);
    }
  };
  if (existsSync(folder)) found.push(`${folder.slice(from.length + 1)}/`);
  await visit(folder, 0);
  return found.sort();
}

export async function mountsBelow(folder: string): Promise<string[]> {
  const lines = (await readFile("/proc/self/mountinfo", "utf8")).split("\n");
  return lines.map((line) => line.split(" ")[4] ?? "").filter((path) => path.startsWith(`${folder}/`));
}

/** Supervisors, launchers and helpers that were told of the folder, as `pid command line`. */
export async function processesOf(folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)) {
    const line = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    if (line.includes(`${folder}/`)) found.push(`${pid} ${line.replaceAll("\0", " ").trim()}`);
  }
  return found;
}
