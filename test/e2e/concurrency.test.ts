import { expect, test } from "vitest";
import { busyboxImage, kitchen, useKitchen } from "../support/index.ts";

const here = useKitchen(async () => ({ images: [await busyboxImage()] }));
const numbers = Array.from({ length: 10 }, (_, n) => n);

test("[STO-5] ten runs at once, the first ones of a fresh store", async () => {
  await using fresh = await kitchen({ images: [await busyboxImage()] });
  const results = await Promise.all(numbers.map((n) => fresh.ramekin(["run", "--rm", "busybox", "sh", "-c", `echo ${n}; exit ${n}`])));
  expect(results.map(({ code, stdout, stderr }) => ({ code, stdout, stderr }))).toEqual(
    numbers.map((n) => ({ code: n, stdout: `${n}\n`, stderr: "" })),
  );
});

test("ten of one name: one wins, the others are told, and the name is free afterwards", async () => {
  const results = await Promise.all(numbers.map(() => here().ramekin(["create", "--name", "wanted", "busybox"])));
  expect(results.filter(({ code }) => code === 0)).toHaveLength(1);
  for (const { code, stderr } of results.filter((result) => result.code !== 0))
    expect({ code, stderr }).toEqual({ code: 125, stderr: expect.stringContaining("wanted") });
  await here().output(["rm", "wanted"]);
  await here().output(["run", "--rm", "--name", "wanted", "busybox", "true"]);
});

test("ten removals of one container", async () => {
  await here().output(["run", "-d", "--name", "target", "busybox", "sleep", "1000"]);
  const results = await Promise.all(numbers.map(() => here().ramekin(["rm", "--force", "target"])));
  expect(results.some(({ code }) => code === 0)).toBe(true);
  for (const { stderr } of results) expect(stderr).not.toMatch(/INTERNAL|at .*\.js:\d+/);
  expect(await here().output(["ps", "-a", "-q"])).toBe("");
});

test("runs while a prune and lists go on", async () => {
  const results = await Promise.all([
    ...numbers.slice(0, 5).map((n) => here().ramekin(["run", "--rm", "busybox", "echo", `${n}`])),
    ...[1, 2].map(() => here().ramekin(["system", "prune", "-f"])),
    ...[1, 2, 3].map(() => here().ramekin(["ps", "-a"])),
  ]);
  expect(results.map(({ code, stderr }) => ({ code, stderr })).filter(({ code }) => code !== 0)).toEqual([]);
});
