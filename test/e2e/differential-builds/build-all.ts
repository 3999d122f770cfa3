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

/** What a builder makes of the cases. Its contexts are its own, since some cases change them. */
export async function buildAll(builder: Builder, cases: readonly BuildCase[], contexts: string, port: string): Promise<Map<string, View>> {
  const token = join(contexts, ".token");
  await writeFile(token, "a-token-of-24-characters");
  const views = new Map<string, View>();
  const built: string[] = [];
  const changes = new Map<string, Record<string, readonly string[]>>();
  for (const { name, flags = [], changes: asked = [{ what: "nothing" }] } of cases) {
    const image = `${builder.name}-${name}`;
    const context = join(contexts, name);
    const given = flags.map((flag) => flag.replace("SERVER=SERVER", `SERVER=http://127.0.0.1:${port}`).replace("TOKEN", token));
    const { code, stderr } = await builder.build(image, context, given);
    if (code !== 0) {
      views.set(name, refused);
      if (process.env["RAMEKIN_TEST_LOG"]) process.stderr.write(`${image}: ${stderr.trim().split("\n").slice(-6).join(" | ")}\n`);
      continue;
    }
    built.push(image);
    const seen: Record<string, readonly string[]> = {};
    for (const { what, script, flags: also = [] } of asked) {
      if (script !== undefined) await succeed(["sh", "-ec", script], { cwd: context });
      const again = await builder.build(`${builder.name}-changed`, context, [...given, ...also]);
      seen[what] =
        again.code === 0 ? builder.done(`${again.stdout}${again.stderr}`).map((step) => step.replaceAll(port, "PORT")) : ["failed"];
    }
    changes.set(name, seen);
  }
  const saved = await viewsIn(await builder.save(built), port);
  for (const image of built) {
    const view = saved.get(image);
    if (view === undefined) throw new Error(`${image} has not been saved: there are ${[...saved.keys()].join(" ")}`);
    const name = image.slice(builder.name.length + 1);
    views.set(name, { ...view, changes: changes.get(name) ?? {} });
  }
  return views;
}
