import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach } from "vitest";
import { type Kitchen, type KitchenOptions, kitchen, noKitchen } from "./kitchen.ts";

/** In a file or a describe block: skips its tests, with the reason, where there is one. */
export function needs(reason: string | undefined): void {
  beforeEach((context) => {
    if (reason !== undefined) context.skip(reason);
  });
}

/** One kitchen for all tests of a file or describe block; `also` is a reason why there can be none, besides those that all share. */
export function useKitchen(options: () => Promise<KitchenOptions>, also?: string): () => Kitchen {
  const reason = also ?? noKitchen;
  let opened: Kitchen | undefined;
  needs(reason);
  beforeAll(async () => {
    if (reason === undefined) opened = await kitchen(await options());
  });
  afterAll(() => opened?.[Symbol.asyncDispose]());
  return () => {
    if (opened === undefined) throw new Error("the kitchen is not open");
    return opened;
  };
}

/** Polls until `check` stops throwing; its last error when it does not within `seconds`. */
export async function eventually<T>(check: () => Promise<T> | T, seconds = 10): Promise<T> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > end) throw error;
      await sleep(50);
    }
  }
}
