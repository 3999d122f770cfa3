import { isolationSuite, runSuite } from "@ramekin/conformance";
import { expect, test } from "vitest";
import { fixture, unable } from "./fixture.ts";
import { mutants, wrapped } from "./mutants.ts";

/** A mutant may make its case hang. */
const patienceMs = 5_000;

async function outcome(name: string): Promise<string> {
  const right = await fixture({ checkLeaks: false });
  const suite = { ...isolationSuite, cases: isolationSuite.cases.filter((known) => known.name === name) };
  let result = "passed";
  const bodies: Promise<void>[] = [];
  const create = () => wrapped({ ...right, [Symbol.asyncDispose]: async () => {} }, mutants[name] ?? (() => ({})));
  runSuite(
    (_, body) =>
      bodies.push(
        body({
          skip(reason) {
            result = `skipped: ${reason}`;
          },
        }).catch(() => {
          result = "failed";
        }),
      ),
    suite,
    { create },
  );
  const timeout = new Promise<void>((done) => setTimeout(done, patienceMs).unref()).then(() => {
    if (result === "passed") result = "failed";
  });
  await Promise.race([Promise.all(bodies).then(() => {}), timeout]);
  const seen = result;
  try {
    await right[Symbol.asyncDispose]();
  } catch {
    // A case that was given up goes on when its container has gone, and may be making another: let it come to its end.
    await Promise.race([Promise.all(bodies), new Promise((done) => setTimeout(done, patienceMs))]);
    await right[Symbol.asyncDispose]();
  }
  return seen;
}

const reason = unable();
test("every case has a mutant", () => {
  expect(Object.keys(mutants).sort()).toEqual(isolationSuite.cases.map(({ name }) => name).sort());
});
/** Most of them wait for what never comes: several at once. */
test.concurrent.for(Object.keys(mutants))("a backend gone wrong fails: %s", { timeout: 60_000 }, async (name, { skip }) => {
  if (reason !== undefined) return skip(reason);
  expect(await outcome(name)).toBe("failed");
});
