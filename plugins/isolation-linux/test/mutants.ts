import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { IsolationFixture } from "@ramekin/conformance";
import {
  type Attachment,
  type ByteStream,
  type CreateOptions,
  type ErrorCode,
  type IsolationBackend,
  isRamekinError,
  type ProcessSpec,
  RamekinError,
  type Supervision,
} from "@ramekin/core";
import { capabilitySets, defaultCapabilities, type LinuxConfig, type NamespaceType, type RuntimeConfig } from "@ramekin/oci";

/** One thing done wrong on top of a right backend. Made anew for each instance, as each process would have it. */
export type Mutant = (right: IsolationBackend) => Partial<IsolationBackend>;

export const wrapped = (fixture: IsolationFixture, mutant: Mutant): IsolationFixture => {
  const wrong = (right: IsolationBackend) => ({ ...right, ...mutant(right) });
  return { ...fixture, backend: wrong(fixture.backend), again: () => wrong(fixture.again()) };
};

/** Creates from another bundle than it was given. */
const spec =
  (change: (spec: RuntimeConfig) => RuntimeConfig): Mutant =>
  (right) => ({
    async create(id, bundle, options) {
      const file = join(bundle, "config.json");
      await writeFile(file, JSON.stringify(change(JSON.parse(await readFile(file, "utf8")) as RuntimeConfig)));
      return right.create(id, bundle, options);
    },
  });
const init = (change: (process: RuntimeConfig["process"]) => RuntimeConfig["process"]) =>
  spec((from) => ({ ...from, process: change(from.process) }));
const linux = (change: (linux: LinuxConfig) => Partial<LinuxConfig>) =>
  spec((from) => ({ ...from, linux: { ...from.linux, ...change(from.linux) } }));
const mounts = (change: (mounts: RuntimeConfig["mounts"]) => RuntimeConfig["mounts"]) =>
  spec((from) => ({ ...from, mounts: change(from.mounts) }));
/** The host's sysctls are not to be touched by a mutant that shares its network. */
const without = (type: NamespaceType) =>
  linux(({ namespaces, sysctl }) => ({
    namespaces: namespaces.filter((other) => other.type !== type),
    sysctl: type === "network" ? {} : (sysctl ?? {}),
  }));
/** Without `ro` in the options of its mount. */
const writable = (path: string) =>
  mounts((all) =>
    all.map((mount) =>
      mount.destination === path ? { ...mount, options: (mount.options ?? []).filter((option) => option !== "ro") } : mount,
    ),
  );
const noLimits = linux(({ resources: { devices = [] } = {} }) => ({ resources: { devices } }));

const create =
  (change: (options: CreateOptions) => CreateOptions): Mutant =>
  (right) => ({ create: (id, bundle, options) => right.create(id, bundle, change(options)) });
const supervised = (change: (supervision: Supervision) => Supervision) =>
  create(({ supervision, ...options }) => ({ ...options, ...(supervision && { supervision: change(supervision) }) }));
const io = (change: Partial<CreateOptions["io"]>) => create((options) => ({ ...options, io: { ...options.io, ...change } }));
const exec =
  (change: (process: ProcessSpec) => ProcessSpec): Mutant =>
  (right) => ({ exec: (id, execId, process, ...rest) => right.exec(id, execId, change(process), ...rest) });
const attach =
  (change: (attachment: Attachment, right: IsolationBackend, id: string) => Attachment): Mutant =>
  (right) => ({
    attach: async (id, options) => change(await right.attach(id, options), right, id),
  });
const stdin = (write: (bytes: Uint8Array, forward: (bytes: Uint8Array) => Promise<void>) => Promise<void>) =>
  attach((attachment) => {
    const writer = attachment.stdin.getWriter();
    return {
      ...attachment,
      stdin: new WritableStream({ write: (bytes) => write(bytes, (changed) => writer.write(changed)), close: () => writer.close() }),
    };
  });
const stdout = (change: (stream: ByteStream) => ByteStream) =>
  attach((attachment) => ({ ...attachment, stdout: change(attachment.stdout) }));
const wait =
  (change: (exit: Awaited<ReturnType<IsolationBackend["wait"]>>) => object): Mutant =>
  (right) => ({
    wait: async (id, options) => change(await right.wait(id, options)) as Awaited<ReturnType<IsolationBackend["wait"]>>,
  });
/** Does as if it had worked. */
const swallows =
  (name: "start" | "kill" | "resize" | "exec"): Mutant =>
  (right) => ({
    [name]: (...args: never[]) => (right[name] as (...args: never[]) => Promise<void>)(...args).catch(() => {}),
  });
const recodes =
  (from: ErrorCode, to: ErrorCode): Mutant =>
  (right) => {
    const recode = (error: unknown) => {
      throw isRamekinError(error, from) ? new RamekinError(to, error.message) : error;
    };
    return {
      create: (...args) => right.create(...args).catch(recode),
      start: (...args) => right.start(...args).catch(recode),
    };
  };
/** Opens paths of the image by name: what TypeScript must never do. */
const byName =
  (work: (root: string, spec: RuntimeConfig, options: CreateOptions) => Promise<CreateOptions | undefined>): Mutant =>
  (right) => ({
    async create(id, bundle, options) {
      const changed = await work(options.rootfs[0]?.source ?? "", JSON.parse(await readFile(join(bundle, "config.json"), "utf8")), options);
      return right.create(id, bundle, changed ?? options);
    },
  });

const makesCwd = byName(async (root, { process }) => {
  await mkdir(join(root, process.cwd), { recursive: true });
});

async function* lacking(stream: ByteStream): ByteStream {
  let held: Uint8Array | undefined;
  for await (const part of stream) {
    if (held) yield held;
    held = part;
  }
}

async function* shortened(stream: ByteStream): ByteStream {
  let done = false;
  for await (const part of stream) {
    yield done ? part : part.subarray(1);
    done = true;
  }
}

async function* after(first: string, stream: ByteStream): ByteStream {
  yield Buffer.from(first);
  yield* stream;
}

const nothing: ByteStream = {
  async *[Symbol.asyncIterator]() {},
};
const namespaceTypes = { mnt: "mount", pid: "pid", net: "network", ipc: "ipc", uts: "uts", cgroup: "cgroup" } as const;

/** By the case that must catch it. */
export const mutants: Readonly<Record<string, Mutant>> = {
  "create waits, start runs, the exit status stays until delete": (right) => ({
    create: async (id, bundle, options) => {
      const state = await right.create(id, bundle, options);
      await right.start(id);
      return state;
    },
  }),
  "the exit status is the program's": wait((exit) => ({ ...exit, code: exit.code === 0 ? 0 : 1 })),
  "killed by a signal: 128 and its number, and its name": wait(({ signal: _, ...exit }) => exit),
  "a program that is not there: COMMAND_NOT_FOUND, exit code 127": recodes("COMMAND_NOT_FOUND", "COMMAND_NOT_EXECUTABLE"),
  "a program that cannot run: COMMAND_NOT_EXECUTABLE, exit code 126": recodes("COMMAND_NOT_EXECUTABLE", "INTERNAL"),
  "start takes a created container only": swallows("start"),
  "an id in use is refused, and the container with it goes on": (right) => ({
    create: async (id, bundle, options) => (await right.state(id)) ?? right.create(id, bundle, options),
  }),
  "an unknown id has no state, and everything but delete says NOT_FOUND": (right) => ({
    state: async (id) => (await right.state(id)) ?? { id, status: "stopped", bundle: "" },
  }),
  "delete refuses what runs, unless forced, and is idempotent": (right) => ({
    delete: (id, options) => right.delete(id, { ...options, force: true }),
  }),
  "a created container that never ran can be deleted by force": (right) => ({ delete: (id) => right.delete(id) }),
  "another process sees it, waits for it and deletes it": (right) => {
    const mine = new Set<string>();
    return {
      create: (id, bundle, options) => {
        mine.add(id);
        return right.create(id, bundle, options);
      },
      state: async (id) => (mine.has(id) ? right.state(id) : undefined),
    };
  },
  "wait and create are cancelled by their signal, which harms no container": (right) => ({
    wait: (id, options) =>
      right.wait(id, options).catch(async (error: unknown) => {
        await right.delete(id, { force: true });
        throw error;
      }),
  }),
  "the state file tells what any process needs to know": create((options) => ({ ...options, stateFile: `${options.stateFile}.elsewhere` })),
  "fields of others in the state file are kept": (right) => ({
    create: async (id, bundle, options) => {
      await rm(options.stateFile);
      return right.create(id, bundle, options);
    },
  }),
  "a container that cannot be created leaves nothing": (right) => ({
    create: (id, bundle, options) => right.create(id, bundle, options).catch(() => ({ id, bundle, status: "created" })),
  }),

  "on-failure: it runs again, so many times, and the count is told": supervised(({ restart: _, ...rest }) => rest),
  "between two runs: its status says so, and a final kill ends it": (right) => ({
    kill: (id, signal, { final: _, ...options } = {}) => right.kill(id, signal, options),
  }),
  "a final kill ends the policy of what runs, and a change of policy holds from then on": () => ({ supervise: async () => {} }),
  "a supervisor that is killed between two runs leaves how the last one ended": (right) => ({
    state: async (id) => {
      const state = await right.state(id);
      return state && { ...state, ...(state.exit && { exit: { ...state.exit, code: 137 } }) };
    },
  }),
  "a health check says healthy and unhealthy, and keeps what it said": supervised(({ health, ...rest }) => ({
    ...rest,
    ...(health && { health: { ...health, args: ["true"] } }),
  })),
  "a check that takes too long is killed with all that it has started": supervised(({ health, ...rest }) => ({
    ...rest,
    ...(health && { health: { ...health, args: ["setsid", ...health.args] } }),
  })),
  "unhealthy: what was asked for happens": supervised(({ health, ...rest }) => ({
    ...rest,
    ...(health && { health: { ...health, onFailure: "none" } }),
  })),
  "a run that takes too long is killed: 255": wait((exit) => ({ ...exit, code: 137 })),
  "it dies with the process that it was bound to": supervised(({ dieWith: _, ...rest }) => rest),

  "stdout and stderr are kept apart": attach((attachment) => ({
    ...attachment,
    stdout: (async function* () {
      yield* attachment.stdout;
      yield* attachment.stderr ?? nothing;
    })(),
    stderr: nothing,
  })),
  "no byte of much output is lost or changed": stdout(shortened),
  "output right before the exit arrives, every time": stdout(lacking),
  // To it the process is over with its output. (One that kills it then is too late on a busy machine.)
  "a process that closes its output goes on": wait((exit) => ({ ...exit, code: 0 })),
  "a grandchild that keeps the output open does not keep the container from ending": stdout(lacking),
  "stdin once: what is written arrives, closing it is end of file": stdin(async () => {}),
  "stdin once: the end of the attachment is end of file": attach((attachment) => ({ ...attachment, detach: async () => {} })),
  "stdin open: waits for the next attachment": io({ stdin: "once" }),
  "stdin closed: end of file at once, and nothing can be written": io({ stdin: "open" }),
  "much input arrives whole, though the process reads slowly": stdin((bytes, forward) => forward(bytes.subarray(0, 1 << 16))),
  "what is typed after the end loses nothing of the output": attach((attachment) => {
    let typed = false;
    return {
      ...attachment,
      stdin: new WritableStream({
        write() {
          typed = true;
        },
      }),
      stdout: (async function* () {
        for await (const part of attachment.stdout) if (!typed) yield part;
      })(),
    };
  }),
  "all attachments get the output from when they came": stdout((stream) => after("1\n", stream)),
  "detach leaves the process running, its output unread": attach((attachment, right, id) => ({
    ...attachment,
    detach: async () => {
      await right.kill(id, "SIGKILL");
      await attachment.detach();
    },
  })),
  // One that is attached and never reads does hold it up: without that it might end before the signal comes.
  "nobody attached: the output holds nothing up": (right) => ({
    start: async (id, options) => {
      const attachment = await right.attach(id);
      await right.start(id, options);
      await right.kill(id, "SIGKILL");
      await attachment.detach();
    },
  }),
  "an attachment that is not read slows the process, and loses nothing": attach((attachment) => {
    const kept: Uint8Array[] = [];
    const drained = (async () => {
      for await (const part of attachment.stdout) if (kept.length < 16) kept.push(part);
    })();
    return {
      ...attachment,
      stdout: (async function* () {
        await drained;
        yield* kept;
      })(),
    };
  }),
  "attaching to what has ended is refused": (right) => ({
    attach: (id, options) =>
      right.attach(id, options).catch(() => ({
        stdin: new WritableStream(),
        stdout: nothing,
        resize: async () => {},
        detach: async () => {},
        [Symbol.asyncDispose]: async () => {},
      })),
  }),
  "the json-file log has every line, with its stream and time, attached or not": io({ log: { type: "none" } }),
  "a terminal: all three are it, of the size asked for": init(({ consoleSize: _, ...process }) => process),
  "a terminal is the controlling one: a typed interrupt is a signal": stdin((bytes, forward) =>
    forward(bytes.map((byte) => (byte === 3 ? 32 : byte))),
  ),
  "resize sets the size and sends SIGWINCH": () => ({ resize: async () => {} }),
  "resizing what has no terminal is refused": swallows("resize"),
  "a second attachment to a terminal sees it, and types into it": stdin(async () => {}),

  "signals arrive as what they are, real-time ones too": (right) => ({
    kill: (id, signal, options) => right.kill(id, signal.startsWith("SIGRT") ? "SIGKILL" : signal, options),
  }),
  "kill of what has ended is a no-op": (right) => ({
    kill: async (id, signal, options) => {
      if ((await right.state(id))?.status === "stopped") throw new RamekinError("FAILED_PRECONDITION", `container ${id} is stopped`);
      await right.kill(id, signal, options);
    },
  }),
  "kill all reaches every process, kill only the first": (right) => ({ kill: (id, signal) => right.kill(id, signal) }),
  "the end of the first process ends all others": wait(({ signal: _, ...exit }) => exit),
  "no signal is ignored or blocked, whatever its creator ignores": init((process) => ({
    ...process,
    args: ["sh", "-c", 'trap "" PIPE; exec "$@"', "sh", ...process.args],
  })),
  "an init as pid 1 reaps orphans and passes signals on": init((process) => ({ ...process, args: process.args.slice(2) })),

  "exec: exit code, output, environment, working directory": exec((process) => ({ ...process, cwd: "/" })),
  "exec: in the container's namespaces, not in ours": (right) => ({
    state: async (id) => {
      const state = await right.state(id);
      return state && { ...state, pid: process.pid };
    },
  }),
  "exec: stdin": (right) => ({
    exec: (id, execId, process, wiring, options) => right.exec(id, execId, process, { ...wiring, stdin: "closed" }, options),
  }),
  "exec: a terminal of its own": (right) => ({ resize: (id, size) => right.resize(id, size) }),
  "exec: twenty at once, each with its own output and exit code": (right) => {
    const known = new Map<string, ReturnType<IsolationBackend["wait"]>>();
    return {
      wait: (id, options) => {
        const exit = known.get(id) ?? right.wait(id, options);
        known.set(id, exit);
        return exit;
      },
    };
  },
  "exec: a program that is not there, or cannot run": swallows("start"),
  "exec: kill, wait and delete are that process's alone": (right) => ({ kill: (id, signal) => right.kill(id, signal) }),
  "exec: only in what runs": swallows("exec"),
  "exec: ended ones leave no zombie and no descriptor with the supervisor": (right) => ({
    start: async (id, options) => {
      await right.start(id, options);
      if (options?.execId === undefined) return;
      const execId = `${options.execId}-more`;
      await right.exec(
        id,
        execId,
        { args: ["sleep", "1000"], cwd: "/", user: { uid: 0, gid: 0 }, env: ["PATH=/bin"] },
        { terminal: false, stdin: "closed", log: { type: "none" } },
      );
      await right.start(id, { execId });
    },
  }),

  ...Object.fromEntries(Object.entries(namespaceTypes).map(([name, type]) => [`a new ${name} namespace`, without(type)])),
  "the host's network namespace on request": linux(({ namespaces }) => ({ namespaces: [...namespaces, { type: "network" }] })),
  "a user namespace on request: root is not the host's": linux(({ namespaces }) => ({
    namespaces: namespaces.filter(({ type }) => type !== "user"),
    uidMappings: [],
    gidMappings: [],
  })),
  "a time namespace on request": without("time"),
  "the program is pid 1, and sees no process of the host": without("pid"),
  "the hostname is its own": spec(({ hostname: _, ...rest }) => rest as RuntimeConfig),
  "a new network namespace has a loopback device, up, and nothing else": without("network"),

  "root has Docker's fourteen capabilities, none inheritable or ambient": init((process) => ({
    ...process,
    capabilities: { ...process.capabilities, inheritable: defaultCapabilities },
  })),
  "a user, by number or name, has none but in the bounding set": create((options) => ({ ...options, user: "0" })),
  "exec has the same, and an empty inheritable set (CVE-2022-29162)": exec((process) => ({
    ...process,
    capabilities: { ...capabilitySets(defaultCapabilities, 0), inheritable: defaultCapabilities },
  })),
  "a chosen set of capabilities is exact": init((process) => ({ ...process, capabilities: capabilitySets(defaultCapabilities, 0) })),
  "a seccomp filter is in force, in exec too": spec(
    ({ linux: { seccomp: _, ...rest }, ...others }) => ({ ...others, linux: rest }) as RuntimeConfig,
  ),
  "the filter denies what the kernel would allow: a new user namespace, a mount with CAP_SYS_ADMIN": spec(
    ({ linux: { seccomp: _, ...rest }, ...others }) => ({ ...others, linux: rest }) as RuntimeConfig,
  ),
  "no_new_privs on request, and not otherwise": init(({ noNewPrivileges: _, ...process }) => process),
  "masked paths show nothing": linux(() => ({ maskedPaths: [] })),
  "what steers the kernel is read-only: /proc/sys, /sys": writable("/sys"),
  "the control groups are read-only: no group of its own, no limit that it could lift": writable("/sys/fs/cgroup"),
  "/dev holds the default devices and nothing of the host's": linux(() => ({
    devices: [{ path: "/dev/fuse", type: "c", major: 10, minor: 229 }],
  })),
  "the default devices work, for everybody": mounts((all) =>
    all.map((mount) =>
      mount.destination === "/dev/shm"
        ? { ...mount, options: (mount.options ?? []).map((option) => option.replace("1777", "0700")) }
        : mount,
    ),
  ),
  "no other device opens, though its node can be made: memory, a disk": linux(() => ({
    resources: { devices: [{ allow: true, access: "rwm" }] },
  })),
  "no tunnel device opens (runc before 1.2 let it through)": linux(() => ({ resources: { devices: [{ allow: true, access: "rwm" }] } })),
  "/dev/shm has the size asked for, 64 MiB by default": mounts((all) =>
    all.map((mount) =>
      mount.destination === "/dev/shm"
        ? { ...mount, options: (mount.options ?? []).map((option) => option.replace(/^size=.*/, "size=2m")) }
        : mount,
    ),
  ),
  "a read-only root on request; /dev and /tmp mounts stay writable": spec((from) => ({
    ...from,
    root: { path: "rootfs", readonly: false },
  })),
  "a read-only bind mount is read-only, a bind mount is not": writable("/a/b"),
  "nothing is inherited from the creator: environment, umask, groups, descriptors": init((own) => ({
    ...own,
    env: [...(own.env ?? []), `RAMEKIN_SUITE_SECRET=${process.env["RAMEKIN_SUITE_SECRET"]}`],
  })),
  "limits of the process and its out-of-memory score, when asked for": init(({ rlimits: _, ...process }) => process),

  "a user by name, number, group, with the groups of /etc/group": create(({ user, ...options }) => ({
    ...options,
    ...(user !== undefined && { user: user.split(":")[0] as string }),
  })),
  "an unknown user or group is NOT_FOUND, and nothing is left": (right) => ({
    create: (id, bundle, options) => right.create(id, bundle, options).catch(() => right.create(id, bundle, { ...options, user: "0" })),
  }),
  "HOME is the user's, unless the environment has one": init((process) => ({ ...process, env: [...(process.env ?? []), "HOME=/"] })),
  "a working directory that is not there is made": init((process) => ({ ...process, cwd: "/" })),
  "exec as another user": (right) => ({ exec: (id, execId, process, wiring) => right.exec(id, execId, process, wiring) }),

  "limits are those of the control group": noLimits,
  "too much memory: killed, and oomKilled says so": wait(({ oomKilled: _, ...exit }) => exit),
  "too many processes: fork fails": noLimits,
  "pause stops every process, resume goes on": () => ({ pause: async () => {} }),
  "a hold is a pause that ends with it, and one that others end early is over": () => ({
    hold: async () => ({ [Symbol.asyncDispose]: async () => {} }),
  }),
  "a paused container can be killed by force": (right) => ({
    delete: async (id, options) => {
      if ((await right.state(id))?.status === "paused") throw new RamekinError("FAILED_PRECONDITION", `container ${id} is paused`);
      await right.delete(id, options);
    },
  }),
  "update changes what it names and leaves the rest": (right) => ({
    update: async (id, { memory: _, ...resources }) => right.update?.(id, resources),
  }),
  "stats count what the container uses": (right) => ({
    stats: async (id) => {
      const { memory, ...stats } = (await right.stats?.(id)) ?? (undefined as never);
      return { ...stats, memory: { usage: memory.usage } };
    },
  }),
  "a quota of processor time holds": noLimits,
  "processes are the container's, as the host sees them": (right) => ({
    processes: async (id) => ((await right.processes?.(id)) ?? []).slice(0, 1),
  }),

  "restart: stopped as asked, then another run, and no clean-up in between": () => ({ restart: async () => {} }),
  "restart: who does not heed the signal is killed in time, and the policy is as it was": (right) => ({
    restart: (id) => right.kill(id, "SIGKILL", { final: true }),
  }),
  "partners: each run joins the namespace of the process that is theirs now; none is stopped for one that does not run": create(
    ({ partners: _, ...options }) => options,
  ),
  "supervise: another clean-up and journal hold from then on, also for whoever tidies up after a killed supervisor": (right) => ({
    supervise: async (id, { events: _, ...changes }) => right.supervise?.(id, changes),
  }),
  "what is held by name in the clean-up list is let go of, and what others hold stays": create((options) => ({
    ...options,
    cleanup: options.cleanup.map((operation) => ("holder" in operation ? { ...operation, holder: "somebody" } : operation)),
  })),
  "a secret variable is the program's, in each run, and stands in no file of the supervisor": (right) => ({
    async create(id, bundle, { variables = [], ...options }) {
      const values = await Promise.all(variables.map(async ({ name, file }) => `${name}=${await readFile(file, "utf8")}`));
      const file = join(bundle, "config.json");
      const { process, ...rest } = JSON.parse(await readFile(file, "utf8")) as RuntimeConfig;
      await writeFile(file, JSON.stringify({ ...rest, process: { ...process, env: [...(process.env ?? []), ...values] } }));
      return right.create(id, bundle, options);
    },
  }),
  "a mount shows its sources: trees one over the other, files put into them, of each only the part that is asked for": create(
    ({ sources = [], ...options }) => ({ ...options, sources: sources.map(({ subpath: _, ...source }) => source) }),
  ),
  "descriptors of the creator are the program's, from 3 on": create(({ descriptors: _, ...options }) => options),

  "the cleanup list is run by the supervisor, with nobody there": create((options) => ({ ...options, cleanup: [] })),
  "what happens is written down by the supervisor, with nobody there": create(({ events: _, ...options }) => options),
  "delete is answered when the cleanup is done": (right) => ({
    delete: async (id, options) => {
      setTimeout(() => right.delete(id, options).catch(() => {}), 300); // the fixture deletes it once more
    },
  }),
  "an operation that fails does not stop the rest": create((options) => ({ ...options, cleanup: options.cleanup.slice(0, 1) })),
  "a killed supervisor: the container dies with it, and whoever comes next puts it right": wait(({ error: _, ...exit }) => exit),
  "a killed supervisor of a created container: the same, and many at once may find it": (right) => ({
    state: async (id) => {
      const state = await right.state(id);
      return state && { ...state, status: "created" };
    },
  }),
  "nothing is left of a container: no process, mount, control group, file": () => ({ delete: async () => {} }),

  "a working directory through a link stays below the root": makesCwd,
  "a working directory with .. stays below the root": makesCwd,
  "a mount target through a link stays below the root": byName(async (root, { mounts }) => {
    for (const { destination } of mounts)
      if (destination.startsWith("/link/sub")) await mkdir(join(root, destination), { recursive: true });
  }),
  "a file bound onto a target through a link makes no file on the host": byName(async (root, { mounts }) => {
    for (const { destination } of mounts) if (destination === "/etc/hosts") await writeFile(join(root, destination), "");
  }),
  "/dev, /proc and /sys that are links are not followed": byName(async (root, { mounts }) => {
    for (const { destination } of mounts) if (dirname(destination) === "/dev") await mkdir(join(root, destination), { recursive: true });
  }),
  "users are looked up in the image, not through its links on the host": byName(async (root, _, options) => {
    const lines = (await readFile(join(root, "etc/passwd"), "utf8")).split("\n").map((line) => line.split(":"));
    const uid = lines.find(([name]) => name === options.user)?.[2];
    return uid === undefined ? options : { ...options, user: uid };
  }),
};
