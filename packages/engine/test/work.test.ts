import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Work, work } from "../src/work.ts";
import { bed } from "./bed.ts";
import { makeImage } from "./doubles/image.ts";
import { recordingRegistry } from "./doubles/recording-registry.ts";

interface Step {
  readonly of: string;
  readonly current: number;
}

/** A piece of work whose reports and end the test decides on. */
function job(onProgress?: (step: Step) => void) {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let report: (step: Step) => void = () => undefined;
  const under = work<string, Step, { readonly onProgress?: ((step: Step) => void) | undefined }>(
    { onProgress },
    ({ of }) => of,
    (options) => {
      report = options.onProgress;
      return promise;
    },
  );
  return { under, report: (of: string, current: number) => report({ of, current }), resolve, reject };
}
const turn = () => new Promise((resolve) => setImmediate(resolve));
async function all<P>(from: AsyncIterable<P>): Promise<P[]> {
  const seen: P[] = [];
  for await (const each of from) seen.push(each);
  return seen;
}

describe("what is under way", () => {
  test("is awaited for its result, and read for how it gets on, by as many as want to", async () => {
    const called: Step[] = [];
    const { under, report, resolve } = job((step) => called.push(step));
    const readers = [all(under), all(under)];
    for (const current of [1, 2]) {
      report("a", current);
      await turn();
    }
    resolve("done");
    const steps = [1, 2].map((current) => ({ of: "a", current }));
    expect(await under).toBe("done");
    expect(await Promise.all(readers)).toEqual([steps, steps]);
    expect(called).toEqual(steps);
    // Too late to see anything, and not left waiting.
    expect(await all(under)).toEqual([]);
  });

  test("of each kind a slow reader gets the last report, and nothing grows meanwhile", async () => {
    const { under, report, resolve } = job();
    const reader = under[Symbol.asyncIterator]();
    for (let current = 0; current < 10_000; current++) report(current % 2 === 0 ? "even" : "odd", current);
    resolve("done");
    expect(await all({ [Symbol.asyncIterator]: () => reader })).toEqual([
      { of: "even", current: 9998 },
      { of: "odd", current: 9999 },
    ]);
  });

  test("who reads is told of the failure after the last report; who leaves hears no more, and the work goes on", async () => {
    const { under, report, reject } = job();
    const seen: Step[] = [];
    const reading = (async () => {
      for await (const step of under) seen.push(step);
    })();
    const left = (async () => {
      for await (const _ of under) break;
    })();
    report("a", 1);
    await left;
    report("a", 2);
    reject(new Error("the line is cut"));
    await expect(reading).rejects.toThrow("the line is cut");
    expect(seen.at(-1)).toEqual({ of: "a", current: 2 });
    await expect(under).rejects.toThrow("the line is cut");
  });
});

test("pull, load, push, save and check can be read for their progress", async () => {
  const name = "docker.io/library/app:latest";
  const app = makeImage({ layers: ["base", "top"] });
  await using t = await bed({ remote: { [name]: app } });
  const layers = async <R>(under: Work<R, { readonly mediaType: string; readonly status: string }>) =>
    (await all(under)).filter(({ mediaType }) => mediaType.includes(".layer.")).map(({ status }) => status);
  expect((await layers(t.engine.pull("app"))).filter((status) => status === "done")).toHaveLength(2);
  const archive = join(t.directory, "app");
  expect((await layers(t.engine.save(["app"], archive, { format: "oci-dir" }))).filter((status) => status === "done")).toHaveLength(2);
  expect((await layers(t.engine.load(archive))).filter((status) => status === "exists")).toHaveLength(2);
  const recording = recordingRegistry();
  await using sender = await bed({ local: { [name]: app }, plugins: [recording.plugin], drivers: { registry: "recording" } });
  expect((await layers(sender.engine.push("app"))).filter((status) => status === "pushed")).toHaveLength(2);
  const checked = await all(t.engine.check());
  expect(checked.at(-1)).toEqual({ current: checked.at(-1)?.total, total: expect.any(Number) });
  await expect(all(t.engine.pull("nobody"))).rejects.toMatchObject({ code: "NOT_FOUND" });
});
