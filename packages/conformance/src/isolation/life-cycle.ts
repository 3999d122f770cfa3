import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { isRamekinError } from "@ramekin/core";
import type { Case } from "../suite.ts";
import { create, created, exec, finish, idle, rejects, run, started } from "./box.ts";
import type { IsolationFixture } from "./fixture.ts";

/** By `create`, where the launcher looks as early as that, and then there is no container; else by `start`, and it has ended. */
async function refuses(
  fixture: IsolationFixture,
  program: string,
  code: "COMMAND_NOT_FOUND" | "COMMAND_NOT_EXECUTABLE",
  exitCode: number,
): Promise<void> {
  const { backend } = fixture;
  const bundle = await fixture.bundle([program]);
  const made = await create(fixture, bundle).then(
    () => true,
    (error: unknown) => {
      assert.ok(isRamekinError(error, code), String(error));
      return false;
    },
  );
  if (!made) return assert.equal(await backend.state(bundle.id), undefined);
  await rejects(backend.start(bundle.id), code);
  assert.equal((await backend.wait(bundle.id)).code, exitCode);
  assert.equal((await backend.state(bundle.id))?.status, "stopped");
}

export const lifeCycle: readonly Case<IsolationFixture>[] = [
  {
    name: "create waits, start runs, the exit status stays until delete",
    async run(fixture) {
      const { backend } = fixture;
      const { id, directory, root } = await created(fixture, "echo ran > /tmp/ran");
      const state = await backend.state(id);
      assert.deepEqual([state?.id, state?.status, state?.bundle], [id, "created", directory]);
      assert.ok(state?.pid);
      await assert.rejects(readFile(`${root}/tmp/ran`), "nothing runs before start");
      await backend.start(id);
      const exit = await backend.wait(id);
      assert.equal(await readFile(`${root}/tmp/ran`, "utf8"), "ran\n");
      const stopped = await backend.state(id);
      assert.deepEqual([stopped?.status, stopped?.pid, stopped?.exit], ["stopped", undefined, exit]);
      await backend.delete(id);
      assert.equal(await backend.state(id), undefined);
    },
  },
  {
    name: "the exit status is the program's",
    async run(fixture) {
      for (const code of [0, 1, 255]) {
        const before = Date.now();
        const { exit } = await run(fixture, `exit ${code}`);
        assert.deepEqual([exit.code, exit.signal], [code, undefined]);
        assert.ok(exit.exitedAt.getTime() >= before - 1000 && exit.exitedAt.getTime() <= Date.now() + 1000, String(exit.exitedAt));
      }
    },
  },
  {
    name: "killed by a signal: 128 and its number, and its name",
    async run(fixture) {
      const { backend } = fixture;
      for (const [signal, code] of [
        ["SIGKILL", 137],
        ["SIGTERM", 143],
      ] as const) {
        // In the host's pid namespace: pid 1 of its own would not die of a signal that it does not handle.
        const { id } = await started(fixture, ["sleep", "1000"], { namespaces: { pid: "host" } });
        await backend.kill(id, signal);
        const exit = await backend.wait(id);
        assert.deepEqual([exit.code, exit.signal, exit.oomKilled ?? false], [code, signal, false]);
      }
    },
  },
  {
    name: "a program that is not there: COMMAND_NOT_FOUND, exit code 127",
    async run(fixture) {
      for (const program of ["no-such-program", "/no/such/program"]) await refuses(fixture, program, "COMMAND_NOT_FOUND", 127);
    },
  },
  {
    name: "a program that cannot run: COMMAND_NOT_EXECUTABLE, exit code 126",
    async run(fixture) {
      for (const program of ["/etc/passwd", "/etc"]) await refuses(fixture, program, "COMMAND_NOT_EXECUTABLE", 126);
    },
  },
  {
    name: "start takes a created container only",
    async run(fixture) {
      const { id } = await idle(fixture);
      await rejects(fixture.backend.start(id), "FAILED_PRECONDITION");
      await fixture.backend.kill(id, "SIGKILL");
      await fixture.backend.wait(id);
      await rejects(fixture.backend.start(id), "FAILED_PRECONDITION");
    },
  },
  {
    name: "an id in use is refused, and the container with it goes on",
    async run(fixture) {
      const { backend } = fixture;
      const bundle = await idle(fixture);
      const { id } = bundle;
      await rejects(create(fixture, bundle), "ALREADY_EXISTS");
      assert.equal((await backend.state(id))?.status, "running");
      assert.equal((await exec(fixture, id, "exit 3")).exit.code, 3);
    },
  },
  {
    name: "an unknown id has no state, and everything but delete says NOT_FOUND",
    async run({ backend }) {
      assert.equal(await backend.state("absent"), undefined);
      await rejects(backend.start("absent"), "NOT_FOUND");
      await rejects(backend.kill("absent", "SIGTERM"), "NOT_FOUND");
      await rejects(backend.wait("absent"), "NOT_FOUND");
      await rejects(backend.attach("absent"), "NOT_FOUND");
      await backend.delete("absent");
    },
  },
  {
    name: "delete refuses what runs, unless forced, and is idempotent",
    async run(fixture) {
      const { backend } = fixture;
      const { id } = await idle(fixture);
      const pid = (await backend.state(id))?.pid;
      await rejects(backend.delete(id), "FAILED_PRECONDITION");
      assert.equal((await backend.state(id))?.status, "running");
      await backend.delete(id, { force: true });
      assert.equal(await backend.state(id), undefined);
      assert.throws(() => process.kill(pid as number, 0), "its process is gone");
      await backend.delete(id, { force: true });
      await backend.delete(id);
    },
  },
  {
    name: "a created container that never ran can be deleted by force",
    async run(fixture) {
      const { id } = await created(fixture, "true");
      await rejects(fixture.backend.delete(id), "FAILED_PRECONDITION");
      await fixture.backend.delete(id, { force: true });
      assert.equal(await fixture.backend.state(id), undefined);
    },
  },
  {
    name: "another process sees it, waits for it and deletes it",
    async run(fixture) {
      const { id } = await started(fixture, "sleep 0.3; exit 5");
      const other = fixture.again();
      assert.equal((await other.state(id))?.status, "running");
      const [here, there] = await Promise.all([fixture.backend.wait(id), other.wait(id)]);
      assert.deepEqual([here.code, there.code], [5, 5]);
      assert.equal((await fixture.again().wait(id)).code, 5, "any number of times");
      await other.delete(id);
      assert.equal(await fixture.backend.state(id), undefined);
    },
  },
  {
    name: "wait and create are cancelled by their signal, which harms no container",
    async run(fixture) {
      const { backend } = fixture;
      const { id } = await idle(fixture);
      const abort = new AbortController();
      const waiting = backend.wait(id, { signal: abort.signal });
      setTimeout(() => abort.abort(), 50);
      await rejects(waiting, "CANCELLED");
      assert.equal((await backend.state(id))?.status, "running");
      const bundle = await fixture.bundle(["true"]);
      await rejects(create(fixture, bundle, { signal: abort.signal }), "CANCELLED");
      assert.equal(await backend.state(bundle.id), undefined);
    },
  },
  {
    name: "the state file tells what any process needs to know",
    async run(fixture) {
      const { id, stateFile } = await created(fixture, "exit 9");
      const read = async () => JSON.parse(await readFile(stateFile, "utf8"));
      const before = await read();
      const boot = (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();
      assert.deepEqual([before.version, before.status, before.bootId, before.exit], [1, "created", boot, undefined]);
      const stat = await readFile(`/proc/${before.pid}/stat`, "utf8");
      assert.equal(before.startTime, Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]));
      await fixture.backend.start(id);
      const exit = await fixture.backend.wait(id);
      const after = await read();
      assert.deepEqual([after.status, after.exit.code, new Date(after.exit.exitedAt)], ["stopped", 9, exit.exitedAt]);
      assert.ok(Date.parse(after.startedAt) <= Date.parse(after.exit.exitedAt));
    },
  },
  {
    name: "fields of others in the state file are kept",
    async run(fixture) {
      const bundle = await fixture.bundle(["true"]);
      await writeFile(
        bundle.stateFile,
        JSON.stringify({ version: 1, note: 3, status: "stopped", exit: { code: 1, exitedAt: new Date() } }),
      );
      const { id, stateFile } = bundle;
      await create(fixture, bundle);
      await finish(fixture, id);
      const { note, status, exit } = JSON.parse(await readFile(stateFile, "utf8"));
      assert.deepEqual([note, status, exit.code], [3, "stopped", 0]);
    },
  },
  {
    name: "a container that cannot be created leaves nothing",
    async run(fixture) {
      const bundle = await fixture.bundle(["true"], {
        edit: (spec) => ({
          ...spec,
          mounts: [...spec.mounts, { destination: "/m", type: "bind", source: "/no/such/source", options: ["bind"] }],
        }),
      });
      await assert.rejects(create(fixture, bundle));
      assert.equal(await fixture.backend.state(bundle.id), undefined);
      assert.deepEqual(await fixture.leftovers(), []);
    },
  },
];
