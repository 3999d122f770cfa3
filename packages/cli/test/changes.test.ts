import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RamekinError } from "@ramekin/core";
import { expect, test } from "vitest";
import { container, imageInfo } from "./samples.ts";
import { ramekin } from "./world.ts";

test("diff writes Docker's lines", async () => {
  const engine = {
    container: async () =>
      container({
        async *changes() {
          yield { kind: "modified", path: "/etc" };
          yield { kind: "added", path: "/etc/new" };
          yield { kind: "deleted", path: "/etc/old" };
        },
      }),
  };
  expect(await ramekin(["diff", "web"], { engine })).toMatchObject({ status: 0, stdout: "C /etc\nA /etc/new\nD /etc/old\n" });
  expect(await ramekin(["diff"], { engine })).toMatchObject({ status: 1, stdout: "" });
});

test("[export --output] a file that is whole or not there; without it, stdout", async () => {
  const folder = await mkdtemp(join(tmpdir(), "ramekin-cli-"));
  let breaks = false;
  const engine = {
    container: async () =>
      container({
        async *export() {
          yield Buffer.from("ta");
          if (breaks) throw new RamekinError("UNAVAILABLE", "broken");
          yield Buffer.from("r");
        },
      }),
  };
  try {
    expect(await ramekin(["export", "web"], { engine })).toMatchObject({ status: 0, stdout: "tar" });
    expect(await ramekin(["export", "-o", join(folder, "a.tar"), "web"], { engine })).toMatchObject({ status: 0, stdout: "" });
    expect(await readFile(join(folder, "a.tar"), "utf8")).toBe("tar");
    breaks = true;
    expect(await ramekin(["export", "-o", join(folder, "b.tar"), "web"], { engine })).toMatchObject({ status: 1 });
    expect(await readdir(folder)).toEqual(["a.tar"]);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("[commit --author] [commit --change] [commit --message] [commit --pause] are passed on", async () => {
  const asked: unknown[] = [];
  const engine = {
    container: async () =>
      container({
        async commit({ signal: _, ...options } = {}) {
          asked.push(options);
          return imageInfo();
        },
      }),
  };
  const words = ["commit", "-a", "me", "-c", "CMD a", "--change", "USER b", "-m", "why", "--pause=false", "web", "web:2"];
  expect(await ramekin(words, { engine })).toMatchObject({ status: 0, stdout: `${imageInfo().id}\n` });
  expect(await ramekin(["commit", "web"], { engine })).toMatchObject({ status: 0 });
  expect(asked).toEqual([
    { author: "me", changes: ["CMD a", "USER b"], message: "why", pause: false, name: "web:2" },
    { changes: [], pause: true },
  ]);
});
