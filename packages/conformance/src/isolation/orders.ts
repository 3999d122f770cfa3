import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, open, readFile, readlink, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Partner } from "@ramekin/core";
import type { Case } from "../suite.ts";
import { create, created, eventually, idle, rejects, started } from "./box.ts";
import type { IsolationFixture } from "./fixture.ts";

const pidOf = async ({ backend }: IsolationFixture, id: string) => (await backend.state(id))?.pid ?? assert.fail("no process");
const namespaceOf = async (fixture: IsolationFixture, id: string) => readlink(`/proc/${await pidOf(fixture, id)}/ns/ipc`);
const killSupervisor = async (stateFile: string) => process.kill(JSON.parse(await readFile(stateFile, "utf8")).shim.pid, "SIGKILL");

/** What a supervisor is told to do, while its container runs. */
export const orders: readonly Case<IsolationFixture>[] = [
  {
    name: "restart: stopped as asked, then another run, and no clean-up in between",
    needs: ["supervision"],
    async run(fixture) {
      const { backend } = fixture;
      const script = "trap 'echo asked >> /tmp/log; exit 0' TERM; echo run >> /tmp/log; while :; do sleep 0.05; done";
      const { id, root, scratch } = await started(fixture, script, {
        cleanup: ({ scratch }) => [{ op: "remove-tree", root: scratch, path: "kept" }],
      });
      await mkdir(join(scratch, "kept"));
      const log = () => readFile(`${root}/tmp/log`, "utf8").catch(() => "");
      await eventually("it runs", async () => (await log()) === "run\n");
      const first = await pidOf(fixture, id);
      await backend.restart?.(id, { signal: "SIGTERM", timeoutMs: 10_000 });
      assert.notEqual(await pidOf(fixture, id), first);
      assert.equal((await backend.state(id))?.status, "running");
      await eventually("asked, and run again", async () => (await log()) === "run\nasked\nrun\n");
      assert.ok(existsSync(join(scratch, "kept")));
      await rejects(backend.restart?.("0".repeat(64), { signal: "SIGTERM", timeoutMs: 0 }) ?? Promise.resolve(), "NOT_FOUND");
    },
  },
  {
    name: "restart: who does not heed the signal is killed in time, and the policy is as it was",
    needs: ["supervision"],
    async run(fixture) {
      const { backend } = fixture;
      const { id } = await started(fixture, ["sleep", "1000"], { supervision: { restart: { name: "unless-stopped" } } });
      const first = await pidOf(fixture, id);
      await backend.restart?.(id, { signal: "SIGTERM", timeoutMs: 100 });
      const second = await pidOf(fixture, id);
      assert.notEqual(second, first);
      process.kill(second, "SIGKILL");
      await eventually("it runs again by its policy", async () => {
        const state = await backend.state(id);
        return state?.status === "running" && state.pid !== second;
      });
    },
  },
  {
    name: "partners: each run joins the namespace of the process that is theirs now; none is stopped for one that does not run",
    needs: ["supervision"],
    async run(fixture) {
      const { backend } = fixture;
      const host = await started(fixture, ["sleep", "1000"]);
      const partners: readonly Partner[] = [{ namespace: "ipc", name: "host", stateFile: host.stateFile }];
      const path = `/proc/${await pidOf(fixture, host.id)}/ns/ipc`;
      const guest = await fixture.bundle(["sleep", "1000"], { namespaces: { ipc: { path } } });
      await create(fixture, guest, { partners });
      await backend.start(guest.id);
      assert.equal(await namespaceOf(fixture, guest.id), await namespaceOf(fixture, host.id));
      const stop = { signal: "SIGKILL", timeoutMs: 10_000 } as const;
      await backend.restart?.(host.id, stop);
      assert.notEqual(await namespaceOf(fixture, guest.id), await namespaceOf(fixture, host.id));
      await backend.restart?.(guest.id, stop);
      assert.equal(await namespaceOf(fixture, guest.id), await namespaceOf(fixture, host.id));

      await backend.delete(host.id, { force: true });
      const pid = await pidOf(fixture, guest.id);
      await assert.rejects(async () => backend.restart?.(guest.id, stop));
      assert.equal(await pidOf(fixture, guest.id), pid);
    },
  },
  {
    name: "supervise: another clean-up and journal hold from then on, also for whoever tidies up after a killed supervisor",
    needs: ["supervision"],
    async run(fixture) {
      const { backend } = fixture;
      for (const killed of [false, true]) {
        const { id, scratch, stateFile } = await idle(fixture);
        await mkdir(join(scratch, "tree"));
        const events = { directory: join(scratch, "events"), attributes: { name: "renamed" } };
        await backend.supervise?.(id, { cleanup: [{ op: "remove-tree", root: scratch, path: "tree" }], events });
        if (killed) await killSupervisor(stateFile);
        // Not SIGTERM: who has not got as far as its trap would ignore it, being pid 1.
        else await backend.kill(id, "SIGKILL");
        await backend.wait(id);
        await eventually("the new clean-up is done", () => !existsSync(join(scratch, "tree")));
        const line = await eventually("told", () => readFile(join(events.directory, "0000000001.jsonl"), "utf8").catch(() => undefined));
        const { action, attributes } = JSON.parse(line.split("\n")[0] ?? "");
        assert.deepEqual([action, attributes.name], ["die", "renamed"]);
        await backend.delete(id);
      }
      const over = await started(fixture, "true");
      await backend.wait(over.id);
      await rejects(backend.supervise?.(over.id, { restart: { name: "always" } }) ?? Promise.resolve(), "FAILED_PRECONDITION");
    },
  },
  {
    name: "what is held by name in the clean-up list is let go of, and what others hold stays",
    async run(fixture) {
      const { id, scratch } = await created(fixture, "true", {
        cleanup: ({ id, scratch }) => [
          ...["mine", "other"].map((name) => ({ op: "release-name", path: join(scratch, name), holder: id }) as const),
          ...["last", "shared"].map((name) => ({ op: "release-volume", directory: join(scratch, name), holder: id }) as const),
          ...["10.0.0.2", "10.0.0.3"].map((address) => ({ op: "free-address", pool: join(scratch, "pool"), address, holder: id }) as const),
          { op: "exec", argv: ["/bin/busybox", "touch", join(scratch, "executed")], timeoutMs: 10_000 },
        ],
      });
      for (const name of ["last", "shared"]) {
        await mkdir(join(scratch, name, "holders"), { recursive: true });
        await mkdir(join(scratch, name, "_data"));
        await writeFile(join(scratch, name, "holders", id), "");
      }
      await writeFile(join(scratch, "shared/holders/somebody"), "");
      await symlink(`../${id}`, join(scratch, "mine"));
      await symlink("../somebody", join(scratch, "other"));
      await mkdir(join(scratch, "pool"));
      await writeFile(join(scratch, "pool/10.0.0.2"), id);
      await writeFile(join(scratch, "pool/10.0.0.3"), "somebody");
      await fixture.backend.start(id);
      await fixture.backend.wait(id);
      await fixture.backend.delete(id);
      const there = async (...names: string[]) =>
        Promise.all(names.map((name) => readlink(join(scratch, name)).then(Boolean, () => existsSync(join(scratch, name)))));
      assert.deepEqual(await there("mine", "last", "pool/10.0.0.2"), [false, false, false]);
      assert.deepEqual(await there("other", "shared/_data", "shared/holders/somebody", "pool/10.0.0.3", "executed"), Array(5).fill(true));
      assert.ok(!existsSync(join(scratch, "shared/holders", id)));
    },
  },
  {
    name: "a secret variable is the program's, in each run, and stands in no file of the supervisor",
    needs: ["supervision"],
    async run(fixture) {
      const { backend } = fixture;
      const bundle = await fixture.bundle(["sh", "-c", "echo $TOKEN >> /tmp/seen; sleep 1000"]);
      const file = join(bundle.scratch, "token");
      await writeFile(file, "s3cret-of-mine");
      const variables = [{ name: "TOKEN", file }];
      await create(fixture, bundle, { variables });
      await backend.start(bundle.id);
      const seen = () => readFile(join(bundle.root, "tmp/seen"), "utf8").catch(() => "");
      await eventually("the program has it", async () => (await seen()) === "s3cret-of-mine\n");
      const { shim } = JSON.parse(await readFile(bundle.stateFile, "utf8"));
      const told = (await readFile(`/proc/${shim.pid}/cmdline`, "utf8")).split("\0")[1] ?? assert.fail("no run directory");
      assert.ok(!(await readFile(join(told, "shim.json"), "utf8")).includes("s3cret"));
      // A bundle with secrets in it is in memory, in the mount namespace of the supervisor.
      const written = await readFile(join(told, "bundle/config.json"), "utf8").catch(() => "");
      assert.ok(!written.includes("s3cret"), written);
      await backend.restart?.(bundle.id, { signal: "SIGKILL", timeoutMs: 10_000 });
      await eventually("and again", async () => (await seen()) === "s3cret-of-mine\ns3cret-of-mine\n");
    },
  },
  {
    name: "a mount shows its sources: trees one over the other, files put into them, of each only the part that is asked for",
    async run(fixture) {
      const bundle = await fixture.bundle(
        ["sh", "-c", "cat /part/deep/file /files/secret > /tmp/seen; ls -ln /files/secret >> /tmp/seen"],
        {
          mounts: ["/part", "/files"].map((destination) => ({ destination, type: "bind", source: "none", options: ["rbind"] })),
        },
      );
      const tree = join(bundle.scratch, "tree");
      await mkdir(join(tree, "sub/deep"), { recursive: true });
      await writeFile(join(tree, "sub/deep/file"), "deep\n");
      await writeFile(join(bundle.scratch, "content"), "content\n");
      await create(fixture, bundle, {
        sources: [
          { destination: "/part", mounts: [{ type: "bind", source: tree, options: ["rbind"] }], subpath: "sub" },
          {
            destination: "/files",
            mounts: [{ type: "tmpfs", source: "tmpfs", options: ["nosuid", "nodev"] }],
            files: [{ file: join(bundle.scratch, "content"), path: "secret", uid: 1000, gid: 2000, mode: 0o440 }],
          },
        ],
      });
      await fixture.backend.start(bundle.id);
      assert.equal((await fixture.backend.wait(bundle.id)).code, 0);
      const [deep, content, listed = ""] = (await readFile(join(bundle.root, "tmp/seen"), "utf8")).split("\n");
      assert.deepEqual([deep, content], ["deep", "content"]);
      assert.match(listed, /^-r--r----- +1 1000 +2000 /);
      await fixture.backend.delete(bundle.id);
      await rm(tree, { recursive: true });
    },
  },
  {
    name: "descriptors of the creator are the program's, from 3 on",
    async run(fixture) {
      const bundle = await fixture.bundle(["sh", "-c", "echo by-number >&3"]);
      await using file = await open(join(bundle.scratch, "out"), "w");
      await create(fixture, bundle, { descriptors: [file.fd] });
      await fixture.backend.start(bundle.id);
      await fixture.backend.wait(bundle.id);
      assert.equal(await readFile(join(bundle.scratch, "out"), "utf8"), "by-number\n");
      await fixture.backend.delete(bundle.id);
    },
  },
];
