import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import type { HealthCheck } from "@ramekin/core";
import type { Case } from "../suite.ts";
import { create, created, eventually, rejects, started } from "./box.ts";
import type { IsolationFixture } from "./fixture.ts";

const startTimeOf = (pid: number) => {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]);
};

const check = (script: string, more: Partial<HealthCheck> = {}): HealthCheck => ({
  args: ["sh", "-c", script],
  intervalMs: 100,
  timeoutMs: 10_000,
  retries: 2,
  startIntervalMs: 100,
  ...more,
});

const stateOf = async ({ backend }: IsolationFixture, id: string) => (await backend.state(id)) ?? assert.fail(`no container ${id}`);
const stopped = (fixture: IsolationFixture, id: string) =>
  eventually("it stops", async () => {
    const state = await stateOf(fixture, id);
    return state.status === "stopped" && state;
  });
/** Ends by SIGKILL only. */
const sleeping = ["sleep", "1000"];

export const supervision: readonly Case<IsolationFixture>[] = [
  {
    name: "on-failure: it runs again, so many times, and the count is told",
    needs: ["supervision"],
    async run(fixture) {
      const { id, root } = await started(fixture, "echo x >> /tmp/runs; exit 3", {
        supervision: { restart: { name: "on-failure", maximumRetryCount: 2 } },
      });
      assert.equal((await fixture.backend.wait(id)).code, 3, "a wait is for one run");
      const state = await stopped(fixture, id);
      assert.deepEqual([state.exit?.code, state.restartCount], [3, 2]);
      assert.equal(await readFile(`${root}/tmp/runs`, "utf8"), "x\nx\nx\n");
    },
  },
  {
    name: "between two runs: its status says so, and a final kill ends it",
    needs: ["supervision"],
    async run(fixture) {
      const { backend } = fixture;
      const { id, stateFile } = await started(fixture, "exit 4", { supervision: { restart: { name: "always" } } });
      const between = await eventually("two runs are between", async () => {
        const state = await stateOf(fixture, id);
        return state.status === "restarting" && (state.restartCount ?? 0) > 2 && state;
      });
      assert.deepEqual([between.pid, between.exit?.code], [undefined, 4]);
      await rejects(backend.attach(id), "FAILED_PRECONDITION");
      await rejects(backend.delete(id), "FAILED_PRECONDITION");
      const waiting = backend.wait(id);
      await backend.kill(id, "SIGTERM", { final: true });
      assert.equal((await waiting).code, 4);
      assert.equal((await stopped(fixture, id)).exit?.code, 4);
      assert.equal(JSON.parse(await readFile(stateFile, "utf8")).stoppedByHand, true);
    },
  },
  {
    name: "a final kill ends the policy of what runs, and a change of policy holds from then on",
    needs: ["supervision"],
    async run(fixture) {
      const { backend } = fixture;
      const { id } = await started(fixture, sleeping, { supervision: { restart: { name: "always" } } });
      await backend.kill(id, "SIGKILL", { final: true });
      assert.equal((await stopped(fixture, id)).restartCount ?? 0, 0);

      const other = await started(fixture, sleeping);
      await backend.supervise?.(other.id, { restart: { name: "always" } });
      await backend.kill(other.id, "SIGKILL");
      await eventually("it runs again", async () => {
        const state = await stateOf(fixture, other.id);
        return state.status === "running" && state.restartCount === 1;
      });
      await backend.delete(other.id, { force: true });
      assert.equal(await backend.state(other.id), undefined);
    },
  },
  {
    name: "a supervisor that is killed between two runs leaves how the last one ended",
    needs: ["supervision"],
    async run(fixture) {
      const { id, stateFile } = await started(fixture, "exit 5", { supervision: { restart: { name: "always" } } });
      const shim = await eventually("two runs are between", async () => {
        const { status, restartCount, shim } = JSON.parse(await readFile(stateFile, "utf8"));
        return status === "restarting" && restartCount > 2 && (shim.pid as number);
      });
      process.kill(shim, "SIGKILL");
      const state = await stopped(fixture, id);
      assert.deepEqual([state.exit?.code, state.exit?.error], [5, "monitor lost"]);
    },
  },
  {
    name: "a health check says healthy and unhealthy, and keeps what it said",
    needs: ["supervision"],
    async run(fixture) {
      const { id, root } = await started(fixture, sleeping, { supervision: { health: check("echo looked; test -e /tmp/well") } });
      assert.equal((await stateOf(fixture, id)).health?.status, "starting");
      await writeFile(`${root}/tmp/well`, "");
      await eventually("it is healthy", async () => (await stateOf(fixture, id)).health?.status === "healthy");
      await rm(`${root}/tmp/well`);
      const { health } = await eventually("it is unhealthy", async () => {
        const state = await stateOf(fixture, id);
        return state.health?.status === "unhealthy" && (state.health.log.length ?? 0) > 2 && state;
      });
      assert.ok((health?.failingStreak ?? 0) >= 2 && (health?.log.length ?? 0) <= 5);
      const last = health?.log.at(-1);
      assert.deepEqual([last?.exitCode, last?.output], [1, "looked\n"]);
      await writeFile(`${root}/tmp/well`, "");
      const asked = await fixture.backend.checkHealth?.(id);
      assert.deepEqual([asked?.status, asked?.result.exitCode], ["healthy", 0]);
    },
  },
  {
    name: "a check that takes too long is killed with all that it has started",
    needs: ["supervision"],
    async run(fixture) {
      const { backend } = fixture;
      // The first is over before the program has begun.
      for (const timeoutMs of [1, 300]) {
        const health = check("(sleep 1000 & sleep 1000) & sleep 1000", { intervalMs: 3_600_000, timeoutMs });
        const { id } = await started(fixture, sleeping, { supervision: { health } });
        const { result } = (await backend.checkHealth?.(id)) ?? assert.fail("no result");
        assert.equal(result.exitCode, -1);
        assert.ok(result.output.includes(`exceeded timeout (${timeoutMs}ms)`), result.output);
        await eventually("nothing is left of it", async () => (await backend.processes?.(id))?.length === 1);
      }
    },
  },
  {
    name: "unhealthy: what was asked for happens",
    needs: ["supervision"],
    async run(fixture) {
      const health = check("false", { retries: 1, onFailure: "restart" });
      const script = "trap 'echo asked >> /tmp/stopped; exit 0' TERM; while :; do sleep 0.05; done";
      const { id, root } = await started(fixture, script, { supervision: { health } });
      await eventually("it runs again", async () => (await stateOf(fixture, id)).restartCount === 1);
      assert.equal(await readFile(`${root}/tmp/stopped`, "utf8"), "asked\n");
    },
  },
  {
    name: "a run that takes too long is killed: 255",
    needs: ["supervision"],
    async run(fixture) {
      const { id } = await started(fixture, sleeping, { supervision: { timeLimitMs: 200 } });
      const exit = await fixture.backend.wait(id);
      assert.deepEqual([exit.code, exit.error], [255, "the time limit was exceeded"]);
    },
  },
  {
    name: "it dies with the process that it was bound to",
    needs: ["supervision"],
    async run(fixture) {
      const parent = spawn("sleep", ["1000"], { stdio: "ignore" });
      const ended = new Promise((resolve) => parent.once("exit", resolve));
      const pid = parent.pid ?? assert.fail("no parent");
      const dieWith = { pid, startTime: startTimeOf(pid) };
      const restart = { name: "always" } as const;
      const { id } = await started(fixture, sleeping, { supervision: { dieWith, restart } });
      const waiting = await created(fixture, sleeping, { supervision: { dieWith } });
      parent.kill("SIGKILL");
      await ended;
      assert.equal((await stopped(fixture, id)).exit?.code, 137);
      await stopped(fixture, waiting.id);
      const late = await fixture.bundle(sleeping);
      await rejects(create(fixture, late, { supervision: { dieWith } }), "FAILED_PRECONDITION");
    },
  },
];
