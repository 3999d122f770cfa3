import { createReadStream } from "node:fs";
import { stat, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { succeed } from "../../support/index.ts";
import type { Builder } from "./builders.ts";
import type { BuildCase } from "./cases.ts";
import { refused, type View, viewsIn } from "./view.ts";

/** Files of a folder over HTTP, with their times. */
export async function fileServer(folder: string): Promise<{ readonly port: string } & AsyncDisposable> {
  const server = createServer(async ({ url = "/" }, response) => {
    const path = join(folder, new URL(url, "http://server").pathname);
    const found = await stat(path).catch(() => undefined);
    if (!found?.isFile()) return void response.writeHead(404).end();
    response.writeHead(200, { "content-length": found.size, "last-modified": found.mtime.toUTCString() });
    createReadStream(path).pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: String((server.address() as AddressInfo).port),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/**
 * What a builder makes of the cases, so many at once. Its contexts are its own, since some cases change them. Those come first: what they
 * ask is which steps are known after a change, and a case beside them might have come to know one.
 */
export async function buildAll(
  builder: Builder,
  cases: readonly BuildCase[],
  { contexts, port, lanes = 1 }: { readonly contexts: string; readonly port: string; readonly lanes?: number },
): Promise<Map<string, View>> {
  await writeFile(join(contexts, ".token"), "a-token-of-24-characters");
  const changes = new Map<string, View["changes"]>();
  const inLanes = async (left: BuildCase[]) => {
    const lane = async () => {
      for (let next = left.shift(); next; next = left.shift()) {
        const seen = await buildOne(builder, next, { contexts, port });
        if (seen) changes.set(next.name, seen);
      }
    };
    await Promise.all(Array.from({ length: lanes }, lane));
  };
  await inLanes(cases.filter((each) => each.changes));
  await inLanes(cases.filter((each) => !each.changes));
  const saved = await viewsIn(await builder.save([...changes.keys()].map((name) => imageOf(builder, name))), port);
  return new Map(
    cases.map(({ name }) => {
      const seen = changes.get(name);
      if (!seen) return [name, refused];
      const view = saved.get(imageOf(builder, name));
      return [name, view ? { ...view, changes: seen } : refused];
    }),
  );
}

const imageOf = (builder: Builder, name: string) => `${builder.name}-${name}`;

/** By what was changed, the steps that were done again; undefined when nothing can be built. */
async function buildOne(
  builder: Builder,
  { name, flags = [], changes = [{ what: "nothing" }] }: BuildCase,
  { contexts, port }: { readonly contexts: string; readonly port: string },
): Promise<View["changes"] | undefined> {
  const context = join(contexts, name);
  const place = (flag: string) =>
    flag.replace("SERVER=SERVER", `SERVER=http://127.0.0.1:${port}`).replace("TOKEN", join(contexts, ".token"));
  const given = flags.map(place);
  const first = await builder.build(context, given, imageOf(builder, name));
  if (!first.built) {
    if (process.env["RAMEKIN_TEST_LOG"])
      process.stderr.write(`${builder.name} ${name}: ${first.said.trim().split("\n").slice(-6).join(" | ")}\n`);
    return undefined;
  }
  const seen: Record<string, readonly string[]> = {};
  for (const { what, script, flags: also = [] } of changes) {
    if (script !== undefined) await succeed(["sh", "-ec", script], { cwd: context });
    const again = await builder.build(context, [...given, ...also]);
    seen[what] = again.built ? again.done.map((step) => step.replaceAll(port, "PORT")) : ["failed"];
  }
  return seen;
}
