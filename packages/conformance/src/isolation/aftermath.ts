import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { lstat, mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Case } from "../suite.ts";
import { create, created, eventually, exec, finish, idle, prepared, rejects, run, started } from "./box.ts";
import type { Bundle, IsolationFixture } from "./fixture.ts";

const cleanup = ({ scratch }: Bundle) =>
  [
    { op: "remove-tree", root: scratch, path: "tree" },
    {
      op: "append-event",
      directory: join(scratch, "events"),
      event: { type: "container", action: "destroy", id: "x", attributes: { name: "y" } },
    },
  ] as const;

/** The journal's lines; one segment is all that a few events fill. */
async function journal({ scratch }: Bundle) {
  const segment = join(scratch, "events", "0000000001.jsonl");
  const text = existsSync(segment) ? await readFile(segment, "utf8") : "";
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

const plantTree = async ({ scratch }: Bundle) => {
  await mkdir(join(scratch, "tree/sub"), { recursive: true });
  await writeFile(join(scratch, "tree/sub/file"), "x");
  await writeFile(join(scratch, "kept"), "x");
};

const isGone = (pid: number) => {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
};

export const aftermath: readonly Case<IsolationFixture>[] = [
  {
    name: "the cleanup list is run by the supervisor, with nobody there",
    async run(fixture) {
      const bundle = await created(fixture, "exit 3", { cleanup });
      await plantTree(bundle);
      await fixture.backend.start(bundle.id);
      await eventually("tree removed", () => !existsSync(join(bundle.scratch, "tree")));
      const { time, ...event } = await eventually("event", async () => (await journal(bundle))[0]);
      assert.deepEqual(event, { type: "container", action: "destroy", id: "x", attributes: { name: "y" } });
      assert.ok(Math.abs(Date.parse(time) - Date.now()) < 60_000, time);
      assert.ok(existsSync(join(bundle.scratch, "kept")));
      assert.equal((await fixture.backend.wait(bundle.id)).code, 3);
    },
  },
  {
    name: "what happens is written down by the supervisor, with nobody there",
    async run(fixture) {
      const bundle = await fixture.bundle(["sh", "-c", "trap 'exit 3' TERM; while :; do sleep 0.05; done"]);
      const attributes = { name: "web", color: "blue" };
      await create(fixture, bundle, { events: { directory: join(bundle.scratch, "events"), attributes } });
      await fixture.backend.start(bundle.id);
      await exec(fixture, bundle.id, ["sh", "-c", "exit 5"]);
      await fixture.backend.kill(bundle.id, "SIGTERM");
      assert.equal((await fixture.backend.wait(bundle.id)).code, 3);
      const events = await journal(bundle);
      assert.deepEqual(
        events.map(({ action }) => action),
        ["start", "exec_start: sh -c exit 5", "exec_die", "die"],
      );
      for (const event of events) {
        assert.deepEqual([event.type, event.id, event.attributes.name, event.attributes.color], ["container", bundle.id, "web", "blue"]);
      }
      assert.deepEqual([events[2].attributes.exitCode, events[3].attributes.exitCode], ["5", "3"]);
      assert.equal(events[1].attributes.execID, events[2].attributes.execID);
      await fixture.backend.delete(bundle.id);
    },
  },
  {
    name: "delete is answered when the cleanup is done",
    async run(fixture) {
      const bundle = await started(fixture, "sleep 1000", { cleanup });
      await plantTree(bundle);
      await fixture.backend.delete(bundle.id, { force: true });
      assert.deepEqual(
        (await readdir(bundle.scratch)).filter((name) => name === "tree" || name === "events"),
        ["events"],
      );
    },
  },
  {
    name: "an operation that fails does not stop the rest",
    async run(fixture) {
      const bundle = await created(fixture, "true", {
        cleanup: (bundle) => [
          { op: "exec", argv: ["/no/such/program"], timeoutMs: 1000 },
          { op: "remove-tree", root: "/no/such/root", path: "x" },
          ...cleanup(bundle),
        ],
      });
      await plantTree(bundle);
      await finish(fixture, bundle.id);
      await fixture.backend.delete(bundle.id);
      assert.ok(!existsSync(join(bundle.scratch, "tree")));
    },
  },
  {
    name: "a killed supervisor: the container dies with it, and whoever comes next puts it right",
    async run(fixture) {
      const { backend } = fixture;
      const bundle = await idle(fixture, { cleanup });
      await plantTree(bundle);
      const { pid, shim } = JSON.parse(await readFile(bundle.stateFile, "utf8"));
      const waiting = backend.wait(bundle.id);
      process.kill(shim.pid, "SIGKILL");
      const exit = await waiting;
      assert.deepEqual([exit.code, exit.error], [137, "monitor lost"]);
      await eventually("its process is gone", () => isGone(pid));
      const state = await fixture.again().state(bundle.id);
      assert.deepEqual([state?.status, state?.exit?.code, state?.exit?.error], ["stopped", 137, "monitor lost"]);
      assert.equal(JSON.parse(await readFile(bundle.stateFile, "utf8")).status, "stopped");
      assert.ok(!existsSync(join(bundle.scratch, "tree")), "the cleanup list has run");
      await backend.kill(bundle.id, "SIGTERM");
      await rejects(backend.start(bundle.id), "FAILED_PRECONDITION");
      await backend.delete(bundle.id);
      assert.deepEqual(await fixture.leftovers(), []);
    },
  },
  {
    name: "a killed supervisor of a created container: the same, and many at once may find it",
    async run(fixture) {
      const bundle = await created(fixture, "true");
      const { shim } = JSON.parse(await readFile(bundle.stateFile, "utf8"));
      process.kill(shim.pid, "SIGKILL");
      await eventually("it is dead", () => isGone(shim.pid));
      const states = await Promise.all(Array.from({ length: 4 }, () => fixture.again().state(bundle.id)));
      assert.deepEqual(
        states.map((state) => [state?.status, state?.exit?.code]),
        Array(4).fill(["stopped", 137]),
      );
      await fixture.backend.delete(bundle.id);
    },
  },
  {
    name: "nothing is left of a container: no process, mount, control group, file",
    async run(fixture) {
      const { id } = await idle(fixture);
      await exec(fixture, id, "true");
      const other = await prepared(fixture, id, ["sleep", "1000"]);
      await fixture.backend.start(id, { execId: other });
      await fixture.backend.delete(id, { force: true });
      assert.deepEqual(await fixture.leftovers(), []);
    },
  },
];

/** What an image may hold to lead the engine out of its root: links to this directory of the host. */
async function trap(bundle: Pick<Bundle, "root" | "scratch">, link: string): Promise<string> {
  const outside = join(bundle.scratch, "outside");
  await mkdir(outside, { recursive: true });
  await writeFile(join(outside, "canary"), "alive");
  const at = join(bundle.root, link);
  await rm(at, { recursive: true, force: true });
  await symlink(outside, at);
  return outside;
}

const untouched = async (outside: string) => {
  assert.deepEqual(await readdir(outside), ["canary"]);
  assert.equal(await readFile(join(outside, "canary"), "utf8"), "alive");
  assert.equal((await lstat(join(outside, "canary"))).size, 5);
};

/** The image is made, the links are laid, then the container runs or is refused: either is fine, as long as the host is untouched. */
async function withLink(
  fixture: IsolationFixture,
  link: string,
  command: string,
  options: (outside: string) => Parameters<typeof run>[2],
): Promise<string> {
  let outside = "";
  const scratch = join((await fixture.bundle(["true"])).scratch, "far");
  const made = options(join(scratch, "outside"));
  const image = async (root: string) => {
    outside = await trap({ root, scratch }, link);
  };
  const result = await run(fixture, command, { ...made, image }).then(
    ({ stdout }) => stdout,
    (error: Error) => `refused: ${error.message}`,
  );
  await untouched(outside);
  return result;
}

export const links: readonly Case<IsolationFixture>[] = [
  {
    name: "a working directory through a link stays below the root",
    async run(fixture) {
      const seen = await withLink(fixture, "link", "pwd; touch made-inside", () => ({ cwd: "/link/work" }));
      assert.match(seen, /\/work\n$|^refused/);
    },
  },
  {
    name: "a working directory with .. stays below the root",
    async run(fixture) {
      const { scratch } = await fixture.bundle(["true"]);
      const outside = join(scratch, "outside");
      await run(fixture, "pwd", { cwd: `${"/..".repeat(20)}${outside}` }).catch(() => {}); // refused is as good
      assert.ok(!existsSync(outside));
    },
  },
  {
    name: "a mount target through a link stays below the root",
    async run(fixture) {
      for (const destination of ["/link", "/link/sub", "/link/canary"]) {
        await withLink(fixture, "link", "touch /link/inside; true", () => ({
          mounts: [{ destination, type: "tmpfs", source: "tmpfs", options: ["nosuid", "nodev"] }],
        }));
      }
    },
  },
  {
    name: "a file bound onto a target through a link makes no file on the host",
    async run(fixture) {
      await withLink(fixture, "etc", "true", () => ({
        mounts: [{ destination: "/etc/hosts", type: "bind", source: "/proc/self/mounts", options: ["bind", "ro"] }],
      }));
    },
  },
  {
    name: "/dev, /proc and /sys that are links are not followed",
    async run(fixture) {
      for (const link of ["dev", "proc", "sys"]) await withLink(fixture, link, "touch /dev/inside; true", () => ({}));
    },
  },
  {
    name: "users are looked up in the image, not through its links on the host",
    async run(fixture) {
      const bundle = await fixture.bundle(["true"]);
      const passwd = join(bundle.scratch, "passwd");
      await writeFile(passwd, "ghost:x:4444:4444::/:/bin/sh\n");
      const image = async (root: string) => {
        await rm(join(root, "etc/passwd"));
        await symlink(passwd, join(root, "etc/passwd"));
      };
      await assert.rejects(run(fixture, "true", { as: "ghost", image }), (error: { code?: string }) => error.code === "NOT_FOUND");
    },
  },
];
