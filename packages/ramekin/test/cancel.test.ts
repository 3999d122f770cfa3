import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { createRamekin } from "../src/index.ts";

const scratch = mkdtempSync(join(tmpdir(), "ramekin-cancel-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
const open = () => createRamekin({ root: join(scratch, "root"), runRoot: join(scratch, "run") });

test.each(["build", "describeBuild"] as const)("%s does not begin once its signal has fired", async (verb) => {
  await using engine = await open();
  const reason = new Error("enough");
  const refused = { name: "RamekinError", code: "CANCELLED", cause: reason };
  // What else is wrong with it does not count.
  await expect(engine[verb]({ context: "/nonexistent", signal: AbortSignal.abort(reason) })).rejects.toMatchObject(refused);
  await expect(engine[verb]({ context: "/nonexistent" })).rejects.toMatchObject({ code: "NOT_FOUND" });
});

test("a build that is under way is given up, whatever the reason", async () => {
  await using engine = await open();
  writeFileSync(join(scratch, "Dockerfile"), "FROM scratch\nCOPY Dockerfile /\n");
  const enough = new AbortController();
  const build = engine.build({ context: scratch, signal: enough.signal, onEvent: () => enough.abort(new Error("enough")) });
  await expect(build).rejects.toMatchObject({ name: "RamekinError", code: "CANCELLED" });
});
