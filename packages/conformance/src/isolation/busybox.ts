import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync, readlinkSync, rmdirSync, symlinkSync } from "node:fs";
import { chmod, cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type IsolationBackend, RamekinError } from "@ramekin/core";
import { defaultSpec } from "@ramekin/oci";
import type { Bundle, IsolationCapabilities, IsolationFixture } from "./fixture.ts";

export interface BusyboxOptions {
  /** A backend that keeps its run directories in `directory`. */
  create(directory: string): IsolationBackend;
  readonly capabilities?: IsolationCapabilities;
  /** Of a statically linked busybox. */
  readonly busybox?: string;
  readonly init?: string;
  /** False: removes what is left without a word, for tests that want it left. */
  readonly checkLeaks?: boolean;
}

/** Why containers cannot be tested here; `undefined` when they can. */
export function cannotIsolate(busybox = "/bin/busybox"): string | undefined {
  if (process.platform !== "linux") return "needs Linux";
  if (process.geteuid?.() !== 0) return "needs root";
  if (!existsSync(busybox)) return "needs busybox: apt-get install busybox-static";
  return undefined;
}

/** Containers of busybox, in a scratch directory that goes with the fixture. */
export async function busyboxFixture(options: BusyboxOptions): Promise<IsolationFixture> {
  const { create, capabilities = {}, busybox = "/bin/busybox", init, checkLeaks = true } = options;
  const scratch = await mkdtemp(join(tmpdir(), "ramekin-isolation-"));
  // A user namespace's root must get through to its root file system; what is below is for nobody else.
  await chmod(scratch, 0o711);
  const directory = join(scratch, "run");
  const backend = create(directory);
  const ids: string[] = [];
  const descriptors = openDescriptors();

  const leftovers = async () => {
    for (let patience = 100; ; patience--) {
      const found = leaks(scratch, ids, existsSync(directory) ? readdirSync(directory) : []);
      // A supervisor ends a moment after its last answer.
      if (found.length === 0 || patience === 0) return found;
      await new Promise((done) => setTimeout(done, 20));
    }
  };

  return {
    backend,
    capabilities,
    ...(init !== undefined && { init }),
    again: () => create(directory),
    leftovers,
    async bundle(args, { edit, image, ...spec } = {}) {
      const id = randomBytes(32).toString("hex");
      const own = join(scratch, id.slice(0, 12));
      const bundle: Bundle = {
        id,
        directory: join(own, "bundle"),
        root: join(own, "root"),
        scratch: join(own, "scratch"),
        stateFile: join(own, "state.json"),
        rootfs: [{ type: "bind", source: join(own, "root"), options: ["rbind", "rw"] }],
      };
      for (const path of [bundle.directory, bundle.scratch]) await mkdir(path, { recursive: true });
      await makeRoot(bundle.root, busybox);
      await image?.(bundle.root);
      const config = defaultSpec({ cgroupsPath: `/${cgroupParent}/${id}`, ...spec, args });
      await writeFile(join(bundle.directory, "config.json"), JSON.stringify(edit ? edit(config) : config));
      ids.push(id);
      return bundle;
    },
    async [Symbol.asyncDispose]() {
      const right = create(directory);
      for (const id of ids) await right.delete(id, { force: true });
      const found = await leftovers();
      // Never through a mount that should not be there.
      if (!found.some((what) => what.startsWith("mount"))) await rm(scratch, { recursive: true });
      for (const hierarchy of hierarchies()) removeIfEmpty(join(hierarchy, cgroupParent));
      const extra = openDescriptors() - descriptors;
      if (checkLeaks && found.length > 0) throw new RamekinError("INTERNAL", `left behind: ${found.join("; ")}`);
      if (checkLeaks && extra > 0) throw new RamekinError("INTERNAL", `left behind: ${extra} descriptors`);
    },
  };
}

const cgroupParent = `ramekin-suite-${process.pid}`;

let applets: readonly string[] | undefined;

/** Made anew for each container: a case may spoil its own. */
async function makeRoot(root: string, busybox: string): Promise<void> {
  for (const name of ["bin", "dev", "etc", "home/cook", "proc", "root", "sys", "tmp"]) await mkdir(join(root, name), { recursive: true });
  await cp(busybox, join(root, "bin/busybox"));
  applets ??= execFileSync(busybox, ["--list"], { encoding: "utf8" }).trim().split("\n");
  for (const name of applets) if (name !== "busybox") symlinkSync("busybox", join(root, "bin", name));
  await writeFile(join(root, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\ncook:x:1000:1000:cook:/home/cook:/bin/sh\n");
  await writeFile(join(root, "etc/group"), "root:x:0:\ncook:x:1000:\nkitchen:x:2000:cook\n");
  await chmod(root, 0o755);
  await chmod(join(root, "tmp"), 0o1777);
}

/** `runs` are the names in the run directory. */
function leaks(scratch: string, ids: readonly string[], runs: readonly string[]): string[] {
  const mounts = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .filter((line) => line.includes(scratch));
  const processes = readdirSync("/proc").filter(
    (name) => /^\d+$/.test(name) && Number(name) !== process.pid && belongsTo(name, scratch, ids),
  );
  const groups = hierarchies().flatMap((hierarchy) =>
    ids.map((id) => join(hierarchy, cgroupParent, id)).filter((path) => existsSync(path)),
  );
  const forgotten = runs.filter((name) => ids.includes(name) || name.startsWith(".new-"));
  return [
    ...mounts.map((line) => `mount ${line.split(" ")[4]}`),
    ...processes.map((pid) => `process ${pid}`),
    ...groups.map((path) => `control group ${path}`),
    ...forgotten.map((name) => `run directory ${name}`),
  ];
}

/** By its command line (a supervisor has its run directory there) or its control group. */
function belongsTo(pid: string, scratch: string, ids: readonly string[]): boolean {
  try {
    const text = readFileSync(`/proc/${pid}/cmdline`, "utf8") + readFileSync(`/proc/${pid}/cgroup`, "utf8");
    return ids.some((id) => text.includes(id)) && (text.includes(scratch) || text.includes(cgroupParent));
  } catch {
    return false; // ended meanwhile
  }
}

function hierarchies(): string[] {
  return readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .flatMap((line) => {
      const [left, right] = line.split(" - ");
      const target = left?.split(" ")[4];
      return target !== undefined && /^cgroup2? /.test(right ?? "") ? [target] : [];
    });
}

function removeIfEmpty(path: string): void {
  try {
    rmdirSync(path);
  } catch {
    // not there, or still in use: another fixture of this process removes it
  }
}

/** Of files, sockets and pipes; not those that Node opens for itself as it goes. */
function openDescriptors(): number {
  return readdirSync("/proc/self/fd").filter((name) => {
    try {
      return !readlinkSync(`/proc/self/fd/${name}`).startsWith("anon_inode:");
    } catch {
      return false; // the one that this listing itself used
    }
  }).length;
}
