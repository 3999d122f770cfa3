import assert from "node:assert/strict";
import { readdir, readFile, readlink } from "node:fs/promises";
import type { Signal } from "@ramekin/core";
import type { Case } from "../suite.ts";
import { created, eventually, exec, finish, idle, prepared, rejects, run, started, statusField, until } from "./box.ts";
import type { IsolationFixture } from "./fixture.ts";

export const signals: readonly Case<IsolationFixture>[] = [
  {
    name: "signals arrive as what they are, real-time ones too",
    async run(fixture) {
      const wanted: [Signal, number][] = [
        ["SIGHUP", 1],
        ["SIGUSR1", 10],
        ["SIGTERM", 15],
        ["SIGRTMIN+3", 37],
        ["SIGRTMAX", 64],
      ];
      for (const [signal, number] of wanted) {
        const { id } = await created(fixture, `trap 'exit 42' ${number}; echo ready; while :; do sleep 0.05; done`);
        await using attachment = await fixture.backend.attach(id);
        await fixture.backend.start(id);
        await until(attachment.stdout[Symbol.asyncIterator](), /ready/);
        await fixture.backend.kill(id, signal);
        assert.equal((await fixture.backend.wait(id)).code, 42, signal);
      }
    },
  },
  {
    name: "kill of what has ended is a no-op",
    async run(fixture) {
      const { id } = await started(fixture, "true");
      await fixture.backend.wait(id);
      await fixture.backend.kill(id, "SIGKILL");
      await fixture.backend.kill(id, "SIGTERM", { all: true });
      assert.equal((await fixture.backend.wait(id)).code, 0);
    },
  },
  {
    name: "kill all reaches every process, kill only the first",
    async run(fixture) {
      const script = "trap 'echo child; exit' USR1; echo armed; while :; do sleep 0.05; done";
      const { id } = await created(fixture, `trap 'echo parent' USR1; sh -c "${script}" & while :; do sleep 0.05; done`);
      await using attachment = await fixture.backend.attach(id);
      await fixture.backend.start(id);
      const reader = attachment.stdout[Symbol.asyncIterator]();
      await until(reader, /armed/);
      await fixture.backend.kill(id, "SIGUSR1");
      assert.doesNotMatch(await until(reader, /parent/), /child/);
      await fixture.backend.kill(id, "SIGUSR1", { all: true });
      await until(reader, /child[\s\S]*parent|parent[\s\S]*child/);
    },
  },
  {
    name: "the end of the first process ends all others",
    async run(fixture) {
      const untilAsked = "sleep 1000 & until [ -e /tmp/end ]; do sleep 0.05; done";
      const { id } = await started(fixture, untilAsked, { namespaces: { pid: "private" } });
      const other = await prepared(fixture, id, ["sh", "-c", "touch /tmp/end; sleep 1000"]);
      await fixture.backend.start(id, { execId: other });
      const exit = await fixture.backend.wait(id, { execId: other });
      assert.equal(exit.signal, "SIGKILL");
      await fixture.backend.wait(id);
      assert.equal((await fixture.backend.state(id))?.status, "stopped");
    },
  },
  {
    name: "no signal is ignored or blocked, whatever its creator ignores",
    async run(fixture) {
      const { stdout } = await run(fixture, ["cat", "/proc/self/status"]);
      for (const key of ["SigIgn", "SigBlk"]) assert.equal(BigInt(`0x${statusField(stdout, key)}`), 0n, key);
      const { id } = await idle(fixture);
      const inside = await exec(fixture, id, ["cat", "/proc/self/status"]);
      for (const key of ["SigIgn", "SigBlk"]) assert.equal(BigInt(`0x${statusField(inside.stdout, key)}`), 0n, `exec ${key}`);
    },
  },
  {
    name: "an init as pid 1 reaps orphans and passes signals on",
    needs: ["init"],
    async run(fixture) {
      const init = ["/dev/init", "--"];
      const mounts = [{ destination: "/dev/init", type: "bind", source: fixture.init as string, options: ["bind", "ro"] }];
      const { id } = await started(fixture, [...init, "sleep", "1000"], { mounts });
      await exec(fixture, id, "sh -c 'sleep 0.1 & exit'");
      const zombies = () => exec(fixture, id, "sleep 0.3; grep -l '^State:.Z' /proc/[0-9]*/status").then(({ stdout }) => stdout);
      assert.equal(await zombies(), "");
      const other = await created(fixture, [...init, "sh", "-c", "trap 'exit 9' TERM; echo ready; while :; do sleep 0.05; done"], {
        mounts,
      });
      await using attachment = await fixture.backend.attach(other.id);
      await fixture.backend.start(other.id);
      await until(attachment.stdout[Symbol.asyncIterator](), /ready/);
      await fixture.backend.kill(other.id, "SIGTERM");
      assert.equal((await fixture.backend.wait(other.id)).code, 9);
    },
  },
];

export const execs: readonly Case<IsolationFixture>[] = [
  {
    name: "exec: exit code, output, environment, working directory",
    async run(fixture) {
      const { id } = await idle(fixture, { env: ["OF_INIT=1"] });
      const { exit, stdout, stderr } = await exec(fixture, id, "pwd; env | sort; echo err >&2; exit 12", {
        cwd: "/tmp",
        env: ["PATH=/bin", "A=b c"],
      });
      assert.deepEqual([exit.code, stderr], [12, "err\n"]);
      const lines = stdout.split("\n").filter((line) => !/^(HOME|PWD|SHLVL|_|OLDPWD)=/.test(line));
      assert.deepEqual(lines, ["/tmp", "A=b c", "PATH=/bin", ""]);
    },
  },
  {
    name: "exec: in the container's namespaces, not in ours",
    async run(fixture) {
      const { id } = await idle(fixture);
      const pid = (await fixture.backend.state(id))?.pid;
      const names = ["mnt", "pid", "net", "ipc", "uts", "cgroup"];
      const { stdout } = await exec(fixture, id, names.map((name) => `readlink /proc/self/ns/${name}`).join(";"));
      assert.deepEqual(stdout.trim().split("\n"), await Promise.all(names.map((name) => readlink(`/proc/${pid}/ns/${name}`))));
    },
  },
  {
    name: "exec: stdin",
    async run(fixture) {
      const { id } = await idle(fixture);
      assert.equal((await exec(fixture, id, "cat; echo end", { stdin: "typed " })).stdout, "typed end\n");
    },
  },
  {
    name: "exec: a terminal of its own",
    async run(fixture) {
      const { id } = await idle(fixture);
      const execId = await prepared(
        fixture,
        id,
        "[ -t 0 ] && [ -t 1 ] && echo tty; trap 'stty size; exit' WINCH; echo ready; while :; do sleep 0.05; done",
        { io: { terminal: true } },
      );
      await using attachment = await fixture.backend.attach(id, { execId });
      await fixture.backend.start(id, { execId });
      const reader = attachment.stdout[Symbol.asyncIterator]();
      await until(reader, /tty\r\nready/);
      await fixture.backend.resize(id, { rows: 21, columns: 42 }, { execId });
      await until(reader, /21 42/);
    },
  },
  {
    name: "exec: twenty at once, each with its own output and exit code",
    async run(fixture) {
      const { id } = await idle(fixture);
      const all = await Promise.all(Array.from({ length: 20 }, (_, n) => exec(fixture, id, `echo ${n}; exit ${n}`)));
      assert.deepEqual(
        all.map(({ exit, stdout }) => [exit.code, stdout]),
        all.map((_, n) => [n, `${n}\n`]),
      );
    },
  },
  {
    name: "exec: a program that is not there, or cannot run",
    async run(fixture) {
      const { id } = await idle(fixture);
      for (const [program, code, status] of [
        ["no-such-program", "COMMAND_NOT_FOUND", 127],
        ["/etc/passwd", "COMMAND_NOT_EXECUTABLE", 126],
      ] as const) {
        const execId = await prepared(fixture, id, [program]).catch((error: { code: string }) => assert.equal(error.code, code));
        if (execId === undefined) continue; // a launcher may see it as early as that
        await rejects(fixture.backend.start(id, { execId }), code);
        assert.equal((await fixture.backend.wait(id, { execId })).code, status);
      }
      assert.equal((await fixture.backend.state(id))?.status, "running");
    },
  },
  {
    name: "exec: kill, wait and delete are that process's alone",
    async run(fixture) {
      const { backend } = fixture;
      const { id } = await idle(fixture);
      const execId = await prepared(fixture, id, ["sleep", "1000"]);
      await backend.start(id, { execId });
      await backend.kill(id, "SIGTERM", { execId });
      const exit = await backend.wait(id, { execId });
      assert.deepEqual([exit.code, exit.signal], [143, "SIGTERM"]);
      await backend.kill(id, "SIGTERM", { execId });
      await backend.delete(id, { execId });
      await backend.delete(id, { execId });
      await rejects(backend.wait(id, { execId }), "NOT_FOUND");
      assert.equal((await backend.state(id))?.status, "running");
    },
  },
  {
    name: "exec: only in what runs",
    async run(fixture) {
      const { id } = await created(fixture, "true");
      await finish(fixture, id);
      await rejects(prepared(fixture, id, ["true"]), "FAILED_PRECONDITION");
    },
  },
  {
    name: "exec: ended ones leave no zombie and no descriptor with the supervisor",
    async run(fixture) {
      const { id, stateFile } = await idle(fixture);
      const { shim } = JSON.parse(await readFile(stateFile, "utf8"));
      const descriptors = async () => (await readdir(`/proc/${shim.pid}/fd`)).length;
      await exec(fixture, id, "true");
      const before = await descriptors();
      for (let round = 0; round < 5; round++) await exec(fixture, id, "true");
      await eventually("descriptors closed", async () => (await descriptors()) <= before);
      const children = (await readFile(`/proc/${shim.pid}/task/${shim.pid}/children`, "utf8")).trim().split(" ");
      assert.deepEqual(children, [String((await fixture.backend.state(id))?.pid)]);
    },
  },
];
