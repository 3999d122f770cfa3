import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { request } from "../src/connection.ts";

/** Somebody who listens and never answers. */
async function silentSupervisor(): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), "ramekin-connection-"));
  const server = createServer().listen(join(directory, "sock"));
  onTestFinished(() => {
    server.close();
    rmSync(directory, { recursive: true });
  });
  await new Promise((done) => server.once("listening", done));
  return directory;
}

test("a signal that fires while the answer is awaited cancels", async () => {
  const abort = new AbortController();
  const asking = request(await silentSupervisor(), { op: "wait" }, { signal: abort.signal, onSent: () => abort.abort() });
  await expect(asking).rejects.toMatchObject({ code: "CANCELLED" });
});

test("so does one that fires while the connection is made", async () => {
  const abort = new AbortController();
  const asking = request(await silentSupervisor(), { op: "wait" }, { signal: abort.signal });
  abort.abort();
  await expect(asking).rejects.toMatchObject({ code: "CANCELLED" });
});
