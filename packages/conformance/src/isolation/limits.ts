import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import type { Case } from "../suite.ts";
import { created, eventually, exec, idle, prepared, rejects, run, started, until } from "./box.ts";
import type { IsolationFixture } from "./fixture.ts";

/** A value of the control group that a process is in, whichever version the controller is of. */
function cgroupValue(pid: number, controller: string, v1: string, v2: string): string {
  const lines = readFileSync(`/proc/${pid}/cgroup`, "utf8")
    .split("\n")
    .map((line) => line.split(":"));
  const own = lines.find(([, names]) => names?.split(",").includes(controller))?.[2];
  const unified = lines.find(([number, names]) => number === "0" && names === "")?.[2];
  const candidates = [
    `/sys/fs/cgroup/${controller}${own}/${v1}`,
    `/sys/fs/cgroup${unified}/${v2}`,
    `/sys/fs/cgroup/unified${unified}/${v2}`,
  ];
  return readFileSync(candidates.find((path) => existsSync(path)) ?? assert.fail(`none of ${candidates}`), "utf8").trim();
}

const pidOf = async (fixture: IsolationFixture, id: string) => (await fixture.backend.state(id))?.pid ?? assert.fail("no pid");

export const limits: readonly Case<IsolationFixture>[] = [
  {
    name: "limits are those of the control group",
    needs: ["limits"],
    async run(fixture) {
      const resources = { memory: { limit: 64 << 20 }, pids: { limit: 33 }, cpu: { quota: 25_000, period: 50_000, shares: 512 } };
      const { id } = await idle(fixture, { resources });
      const pid = await pidOf(fixture, id);
      assert.equal(cgroupValue(pid, "memory", "memory.limit_in_bytes", "memory.max"), String(64 << 20));
      assert.equal(cgroupValue(pid, "pids", "pids.max", "pids.max"), "33");
      assert.match(cgroupValue(pid, "cpu", "cpu.cfs_quota_us", "cpu.max"), /^25000( 50000)?$/);
      // 512 shares are a weight of 20 by the old, linear formula, and of 59 by the one that maps 1024 to 100.
      assert.match(cgroupValue(pid, "cpu", "cpu.shares", "cpu.weight"), /^(512|20|59)$/);
    },
  },
  {
    name: "too much memory: killed, and oomKilled says so",
    needs: ["limits"],
    async run(fixture) {
      const { exit } = await run(fixture, ["tail", "/dev/zero"], { resources: { memory: { limit: 16 << 20, swap: 16 << 20 } } });
      assert.deepEqual([exit.code, exit.signal, exit.oomKilled], [137, "SIGKILL", true]);
    },
  },
  {
    name: "too many processes: fork fails",
    needs: ["limits"],
    async run(fixture) {
      const { stderr, exit } = await run(fixture, "for n in 1 2 3 4 5 6 7 8 9 10; do sleep 1 & done", {
        resources: { pids: { limit: 5 } },
      });
      assert.match(stderr, /can't fork/);
      assert.notEqual(exit.code, 0);
    },
  },
  {
    name: "pause stops every process, resume goes on",
    needs: ["limits"],
    async run(fixture) {
      const { backend } = fixture;
      if (!backend.pause || !backend.resume) assert.fail("claims limits without pause");
      const { id } = await created(fixture, "while :; do echo tick; sleep 0.05; done");
      await using attachment = await backend.attach(id);
      await backend.start(id);
      const reader = attachment.stdout[Symbol.asyncIterator]();
      await until(reader, /tick/);
      await backend.pause(id);
      assert.equal((await backend.state(id))?.status, "paused");
      assert.ok(await fallsSilent(reader), "still ticking");
      await rejects(prepared(fixture, id, ["true"]), "FAILED_PRECONDITION");
      await backend.resume(id);
      assert.equal((await backend.state(id))?.status, "running");
      await eventually("ticking again", () => exec(fixture, id, "true").then(() => true));
    },
  },
  {
    name: "a hold is a pause that ends with it, and one that others end early is over",
    needs: ["limits"],
    async run(fixture) {
      const { backend } = fixture;
      if (!backend.hold) return; // a capability of its own
      const { id } = await idle(fixture);
      const status = async () => (await backend.state(id))?.status;
      const held = await backend.hold(id);
      assert.equal(await status(), "paused");
      await rejects(backend.hold(id), "FAILED_PRECONDITION");
      await held[Symbol.asyncDispose]();
      assert.equal(await status(), "running");
      const again = await backend.hold(id);
      await backend.resume?.(id);
      await backend.pause?.(id);
      await again[Symbol.asyncDispose]();
      assert.equal(await status(), "paused");
      await backend.delete(id, { force: true });
      await rejects(backend.hold(id), "NOT_FOUND");
    },
  },
  {
    name: "a paused container can be killed by force",
    needs: ["limits"],
    async run(fixture) {
      const { id } = await idle(fixture);
      await fixture.backend.pause?.(id);
      await fixture.backend.delete(id, { force: true });
      assert.equal(await fixture.backend.state(id), undefined);
    },
  },
  {
    name: "update changes what it names and leaves the rest",
    needs: ["limits"],
    async run(fixture) {
      const { backend } = fixture;
      const { id } = await idle(fixture, {
        resources: { memory: { limit: 64 << 20 }, pids: { limit: 50 }, cpu: { quota: 50_000, period: 100_000 } },
      });
      const pid = await pidOf(fixture, id);
      await backend.update?.(id, { pids: { limit: 20 }, memory: { limit: 128 << 20 } });
      assert.equal(cgroupValue(pid, "pids", "pids.max", "pids.max"), "20");
      assert.equal(cgroupValue(pid, "memory", "memory.limit_in_bytes", "memory.max"), String(128 << 20));
      assert.match(cgroupValue(pid, "cpu", "cpu.cfs_quota_us", "cpu.max"), /^50000( 100000)?$/);
      await backend.update?.(id, { cpu: { quota: 20_000 } });
      assert.match(cgroupValue(pid, "cpu", "cpu.cfs_quota_us", "cpu.max"), /^20000( 100000)?$/);
      assert.equal(cgroupValue(pid, "pids", "pids.max", "pids.max"), "20");
    },
  },
  {
    name: "stats count what the container uses",
    needs: ["limits"],
    async run(fixture) {
      const stats = async (id: string) => (await fixture.backend.stats?.(id)) ?? assert.fail("no stats");
      const { id } = await started(
        fixture,
        "head -c 8388608 /dev/zero > /dev/shm/f; n=0; while [ $n -lt 100000 ]; do n=$((n+1)); done; touch /tmp/done; sleep 1000",
        {
          resources: { memory: { limit: 64 << 20 }, pids: { limit: 40 } },
        },
      );
      const first = await stats(id);
      const later = await eventually("work", async () => {
        const now = await stats(id);
        return now.memory.usage > 8 << 20 && now.cpu.usageUs > first.cpu.usageUs + 10_000 && now;
      });
      assert.deepEqual([later.memory.limit, later.pids.limit], [64 << 20, 40]);
      assert.ok(later.pids.current >= 1 && later.pids.current < 5, JSON.stringify(later));
      assert.ok(later.readAt > first.readAt);
    },
  },
  {
    name: "a quota of processor time holds",
    needs: ["limits"],
    async run(fixture) {
      const { id } = await started(fixture, "while :; do :; done", { resources: { cpu: { quota: 10_000, period: 100_000 } } });
      const usage = async () => (await fixture.backend.stats?.(id))?.cpu ?? assert.fail("no stats");
      await new Promise((done) => setTimeout(done, 300));
      const [before, at] = [await usage(), Date.now()];
      await new Promise((done) => setTimeout(done, 1000));
      const [after, elapsed] = [await usage(), Date.now() - at];
      assert.ok(after.usageUs - before.usageUs < elapsed * 1000 * 0.3, `${after.usageUs - before.usageUs} us in ${elapsed} ms`);
      assert.ok((after.throttledUs ?? 0) > 0);
    },
  },
  {
    name: "processes are the container's, as the host sees them",
    needs: ["limits"],
    async run(fixture) {
      const { id } = await created(fixture, "sleep 1000 & sleep 1001 & echo ready; wait");
      await using attachment = await fixture.backend.attach(id);
      await fixture.backend.start(id);
      await until(attachment.stdout[Symbol.asyncIterator](), /ready/);
      const commandLine = (pid: number) => basename(readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim());
      // Between fork and exec a child still has its parent's command line.
      const pids = await eventually("both sleep", async () => {
        const found = (await fixture.backend.processes?.(id)) ?? assert.fail("no processes");
        const sleeping = found.map(commandLine).filter((line) => line.startsWith("sleep"));
        return sleeping.sort().join() === "sleep 1000,sleep 1001" && found;
      });
      assert.ok(pids.includes(await pidOf(fixture, id)));
      assert.equal(pids.length, 3);
    },
  },
];

/** What had been written before the pause may still be on its way: as much as a pipe that nobody emptied holds, but no more for ever. */
async function fallsSilent(reader: AsyncIterator<Uint8Array>): Promise<boolean> {
  for (let ticks = 0; ticks < 100; ticks++) {
    const quiet = await Promise.race([reader.next().then(() => false), new Promise<boolean>((done) => setTimeout(done, 400, true))]);
    if (quiet) return true;
  }
  return false;
}
