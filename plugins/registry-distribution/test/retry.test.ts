import { RamekinError } from "@ramekin/core";
import { afterEach, expect, test, vi } from "vitest";
import { defaultRetry, Transient, withRetries } from "../src/retry.ts";

/** A clock that nobody waits for: what was slept, in milliseconds. */
const slept = vi.hoisted(() => [] as number[]);
vi.mock("node:timers/promises", () => ({ setTimeout: async (wait: number) => void slept.push(wait) }));
afterEach(() => void vi.restoreAllMocks());

/** The pauses between tries that all fail. */
async function pauses(chance: number, after?: number): Promise<number[]> {
  vi.spyOn(Math, "random").mockReturnValue(chance);
  slept.length = 0;
  const busy = new RamekinError("UNAVAILABLE", "busy");
  await expect(withRetries(defaultRetry, undefined, () => Promise.reject(new Transient(busy, after)))).rejects.toBe(busy);
  return [...slept];
}

test("[REG-7] pauses double, and half of each is chance", async () => {
  expect(await pauses(0)).toEqual([100, 200, 400, 800]);
  expect(await pauses(1)).toEqual([200, 400, 800, 1600]);
});

test("[REG-7] what the server asks for is waited for, to the millisecond; too long is refused at once", async () => {
  expect(await pauses(0.5, 1234)).toEqual([1234, 1234, 1234, 1234]);
  expect(await pauses(0.5, 31_000)).toEqual([]);
});
