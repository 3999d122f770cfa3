import { createHash } from "node:crypto";
import { chmod, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { busyboxImage, needs, noKitchen, repositoryServer, succeed, useKitchen } from "../support/index.ts";

const here = useKitchen(async () => ({ images: [await busyboxImage()] }));
const ramekin = (...args: string[]) => here().ramekin(args);
const output = (...args: string[]) => here().output(args);
const shown = async (name: string, script: string) => (await output("run", "--rm", name, "sh", "-c", script)).split("\n");
const lines = (...all: string[]) => `${all.join("\n")}\n`;

async function context(name: string, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = join(here().folder, name);
  await mkdir(folder, { recursive: true });
  for (const [path, content] of Object.entries(files)) {
    await mkdir(join(folder, path, ".."), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  return folder;
}

test("[BLD-6] --parents, --exclude, --chmod, --link and wildcards, from the context and from stages", async () => {
  const folder = await context("copies", {
    Dockerfile: lines(
      "FROM busybox AS made",
      "WORKDIR /made",
      "COPY . .",
      "RUN mkfifo deep/pipe && ln -s ../one.txt deep/link && ln one.txt deep/hard && chown 5:6 one.txt && chmod 4711 deep/run",
      "FROM busybox",
      "COPY --parents deep/er/two.txt ./one.txt /parents/",
      "COPY --parents deep/./er /pivot/",
      "COPY --parents --exclude=**/*.md **/*.txt **/*.md /stars/",
      "COPY --exclude=*.md --exclude=er deep /excluded/",
      "COPY --chmod=u=rwX,go=rX,o-r deep /modes/",
      "RUN mkdir -m 1777 /open",
      "COPY --link one.txt /open/",
      "COPY --link --chown=7:8 one.txt /open/named",
      "COPY --link --chown=7:8 one.txt /open/new/",
      "COPY --link --chown=7:8 one.txt /linked/here/",
      "COPY --from=made --chmod=a+rX,u-s /made/deep /from/",
      "COPY --from=made /made/o*.txt /made/deep/h* /wild/",
      "COPY --from=made --parents /made/./deep/*.txt /made/./deep/l* /from-parents/",
      "COPY --from=made --exclude=er --exclude=pipe /made/deep /from-excluded/",
      "COPY --from=made /made/deep/link /followed",
    ),
    "one.txt": "1\n",
    "deep/er/two.txt": "2\n",
    "deep/three.txt": "3\n",
    "deep/read.md": "m\n",
    "deep/run": "#!/bin/sh\n",
  });
  await chmod(join(folder, "deep/run"), 0o700);
  await chmod(join(folder, "deep/three.txt"), 0o600);
  const first = await ramekin("build", "-t", "copies", folder);
  expect(first.code, first.stderr).toBe(0);
  const seen = (
    await output(
      "run",
      "--rm",
      "copies",
      "sh",
      "-c",
      "for at in parents pivot stars excluded modes linked from wild from-parents from-excluded followed; do find /$at ! -type d | sort; done",
    )
  ).split("\n");
  expect(seen).toEqual([
    ...["/parents/deep/er/two.txt", "/parents/one.txt"],
    "/pivot/er/two.txt",
    ...["/stars/deep/er/two.txt", "/stars/deep/three.txt", "/stars/one.txt"],
    ...["/excluded/run", "/excluded/three.txt"],
    ...["/modes/er/two.txt", "/modes/read.md", "/modes/run", "/modes/three.txt"],
    "/linked/here/one.txt",
    ...["/from/er/two.txt", "/from/hard", "/from/link", "/from/pipe", "/from/read.md", "/from/run", "/from/three.txt"],
    ...["/wild/hard", "/wild/one.txt"],
    ...["/from-parents/deep/link", "/from-parents/deep/three.txt"],
    ...["/from-excluded/hard", "/from-excluded/link", "/from-excluded/read.md", "/from-excluded/run", "/from-excluded/three.txt"],
    "/followed",
  ]);
  const stat =
    "stat -c '%a %u:%g %n' /modes/run /modes/three.txt /modes/er /linked/here/one.txt /from/run /from/three.txt; stat -c '%u:%g %n' /wild/hard; stat -c '%a %u:%g %n' /open /open/new; cat /followed /wild/hard";
  expect(await shown("copies", stat)).toEqual([
    ...["751 0:0 /modes/run", "640 0:0 /modes/three.txt", "751 0:0 /modes/er"],
    "644 7:8 /linked/here/one.txt",
    "755 0:0 /from/run",
    "644 0:0 /from/three.txt",
    // As it was there.
    "5:6 /wild/hard",
    // A directory on the way of what is linked stays as it is.
    ...["1777 0:0 /open", "755 7:8 /open/new"],
    ...["1", "1"],
  ]);

  // Of a stage the content counts, not what made it: another step before, and the same files after it.
  await writeFile(
    join(folder, "Dockerfile"),
    (await readFile(join(folder, "Dockerfile"), "utf8")).replace("WORKDIR /made\n", "ENV OTHER=1\nRUN true other\nWORKDIR /made\n"),
  );
  const second = (await ramekin("build", "-t", "copies", folder)).stderr;
  expect(second).toMatch(/RUN mkfifo.*\n#\d+ DONE/);
  expect(second).toMatch(/COPY --from=made --chmod=a\+rX,u-s .*\n#\d+ CACHED/);
  expect(second).toMatch(/COPY --from=made \/made\/o\*\.txt .*\n#\d+ CACHED/);
  // What is linked is the same on another base.
  const base = "FROM busybox\nRUN echo another\nCOPY --link --chown=7:8 one.txt /linked/here/\n";
  await writeFile(join(folder, "Dockerfile"), base);
  expect((await ramekin("build", folder)).stderr).toMatch(/COPY --link.*\n#\d+ CACHED/);

  for (const [text, said] of [
    ["COPY --from=busybox /nothing* /x/", undefined],
    ["COPY nothing* /x/", undefined],
    ["COPY --parents nothing/*.txt /x/", undefined],
    ["COPY --from=busybox /nothing /x/", '"/nothing": not found'],
    ["COPY --parents nothing/./x /x/", "not found"],
    ["COPY --chmod=rwx one.txt /", "invalid chmod parameter"],
    ["COPY one.txt deep /file", "more than one source file"],
  ] as const) {
    await writeFile(join(folder, "Dockerfile"), `FROM busybox\n${text}\n`);
    const { code, stderr } = await ramekin("build", folder);
    expect([text, code, stderr]).toEqual([text, said === undefined ? 0 : 1, expect.stringContaining(said ?? "")]);
  }
});

test("[BLD-1] [BLD-6] WORKDIR makes directories of the user's, COPY writes through a link, --chown and --chmod as BuildKit has them", async () => {
  const folder = await context("owners", {
    Dockerfile: lines(
      "FROM busybox",
      "RUN mkdir /there && ln -s /there/file /name && echo baker:x:1234:100::/:/bin/sh >> /etc/passwd",
      "COPY one.txt /name",
      "COPY --chown=5 --chmod=640 one.txt /new/deep/",
      "COPY --exclude=*.txt one.txt /named/",
      "USER baker",
      "WORKDIR /there/by/name",
      "USER 5:6",
      "WORKDIR /by-number",
      "USER stranger",
      "WORKDIR /by-nobody",
      "USER baker",
      "WORKDIR /there",
    ),
    "one.txt": "1\n",
  });
  expect(await ramekin("build", "-t", "owners", folder)).toMatchObject({ code: 0 });
  const paths = "/there /there/by /there/by/name /by-number /by-nobody /new /new/deep /new/deep/one.txt /name /there/file /named/one.txt";
  const seen = await output("run", "--rm", "--user", "0", "owners", "stat", "-c", "%a %u:%g %N", ...paths.split(" "));
  expect(seen.replaceAll("'", "").split("\n")).toEqual([
    ...["755 0:0 /there", "755 1234:100 /there/by", "755 1234:100 /there/by/name", "755 5:6 /by-number", "755 0:0 /by-nobody"],
    ...["640 5:5 /new", "640 5:5 /new/deep", "640 5:5 /new/deep/one.txt"],
    ...["777 0:0 /name -> /there/file", "644 0:0 /there/file", "644 0:0 /named/one.txt"],
  ]);
  // The user is part of what a step is found by.
  const dockerfile = await readFile(join(folder, "Dockerfile"), "utf8");
  await writeFile(join(folder, "Dockerfile"), dockerfile.replace("USER 5:6", "USER 5:7"));
  const { stderr } = await ramekin("build", folder);
  expect(stderr).toMatch(/WORKDIR \/there\/by\/name\n#\d+ CACHED/);
  expect(stderr).toMatch(/WORKDIR \/by-number\n#\d+ DONE/);
});

/** Files by http, with the marks that servers give them; and a count of what was sent whole. */
interface Shelf {
  readonly files: Map<string, { readonly bytes: Buffer; readonly etag?: string; readonly modified?: string }>;
  readonly sent: string[];
  readonly seen: string[];
}
const shelf: Shelf = { files: new Map(), sent: [], seen: [] };
let server: Server | undefined;
let address = "";

beforeAll(async () => {
  if (noKitchen) return;
  server = createServer((request, response) => {
    const file = shelf.files.get(request.url ?? "");
    if (request.headers.authorization) shelf.seen.push(request.headers.authorization);
    if (!file) return void response.writeHead(404).end();
    if (file.etag !== undefined && request.headers["if-none-match"] === file.etag) return void response.writeHead(304).end();
    shelf.sent.push(request.url ?? "");
    response.writeHead(200, {
      ...(file.etag !== undefined && { etag: file.etag }),
      ...(file.modified !== undefined && { "last-modified": file.modified }),
    });
    response.end(file.bytes);
  });
  await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
  const at = server.address();
  address = `http://127.0.0.1:${typeof at === "object" ? at?.port : ""}`;
});
afterAll(() => server?.close());

test("[BLD-6] [BLD-15] ADD by http: times and marks of the server, checksums, archives only where asked for, and tokens", async () => {
  needs(noKitchen);
  const folder = await context("http", { "in/packed": "packed\n" });
  await succeed(["tar", "-cJf", join(folder, "archive.tar.xz"), "-C", join(folder, "in"), "packed"]);
  await succeed(["tar", "-czf", join(folder, "archive.tgz"), "-C", join(folder, "in"), "packed"]);
  const tar = await readFile(join(folder, "archive.tgz"));
  shelf.files.set("/file.txt", { bytes: Buffer.from("fetched\n"), etag: '"one"', modified: "Sat, 01 Jan 2000 00:00:00 GMT" });
  shelf.files.set("/archive.tgz", { bytes: tar });
  const digest = createHash("sha256").update("fetched\n").digest("hex");
  await writeFile(
    join(folder, "Dockerfile"),
    lines(
      "FROM busybox",
      `ADD --checksum=sha256:${digest} --chmod=0640 ${address}/file.txt /file`,
      `ADD ${address}/file.txt /dir/`,
      `ADD ${address}/archive.tgz /kept/`,
      `ADD --unpack ${address}/archive.tgz /unpacked/`,
      "ADD archive.tgz archive.tar.xz /local/",
      "ADD --unpack=false archive.tgz /whole/",
    ),
  );
  const secret = ["--secret", `id=HTTP_AUTH_TOKEN_${new URL(address).host},env=TOKEN`];
  const build = () => here().ramekin(["build", ...secret, "-t", "fetched", folder], { env: { TOKEN: "a-token-for-servers" } });
  const first = await build();
  expect(first.code, first.stderr).toBe(0);
  expect(
    await shown("fetched", "cat /unpacked/packed /local/packed; stat -c '%a %Y %n' /file /dir/file.txt /kept/archive.tgz; ls /kept /whole"),
  ).toEqual([
    ...["packed", "packed", "640 946684800 /file", "600 946684800 /dir/file.txt", "600 0 /kept/archive.tgz"],
    ...["/kept:", "archive.tgz", "", "/whole:", "archive.tgz"],
  ]);
  expect(new Set(shelf.seen)).toEqual(new Set(["Bearer a-token-for-servers"]));
  shelf.sent.length = 0;
  const again = await build();
  expect(again.stderr.match(/^#\d+ CACHED$/gm)?.length).toBe(6);
  // The one with a mark has not been sent again.
  expect(new Set(shelf.sent)).toEqual(new Set(["/archive.tgz"]));
  shelf.files.set("/file.txt", { bytes: Buffer.from("changed\n"), etag: '"two"' });
  expect(await build()).toMatchObject({ code: 1, stderr: expect.stringContaining(`sha256:${digest} was expected of`) });
  await writeFile(join(folder, "Dockerfile"), `FROM busybox\nADD ${address}/nothing /\n`);
  expect(await build()).toMatchObject({ code: 1, stderr: expect.stringContaining("the server answers 404") });
  for (const place of [here().root, here().runRoot]) {
    const { stdout } = await succeed(["sh", "-c", `grep -rlaF a-token-for-servers ${place} || true`]);
    expect(stdout).toBe("");
  }
});

test("[BLD-6] ADD of a repository: branches, tags, commits, directories, submodules; nothing of it is run", async () => {
  needs(noKitchen);
  await using git = await repositoryServer(join(here().folder, "repositories"));
  git.setTraps(here().env["HOME"] as string);
  const folder = await context("git", {});
  const write = (...all: string[]) => writeFile(join(folder, "Dockerfile"), lines("FROM busybox", ...all));
  await write(
    `ADD ${git.url} /main`,
    `ADD ${git.url}#v1:sub /tagged`,
    `ADD --keep-git-dir --checksum=${git.first.slice(0, 12)} ${git.url}?ref=${git.first} /first`,
    `ADD --exclude=*.md ${git.url}?branch=main&subdir=sub /queried`,
  );
  const first = await ramekin("build", "-t", "cloned", folder);
  expect(first.code, first.stderr).toBe(0);
  const script =
    "cat /main/file /tagged/deep /first/file; ls -A /main /queried; stat -c '%a %n' /main/run /main/file; test -d /first/.git && readlink /main/out";
  expect(await shown("cloned", script)).toEqual([
    ...["second", "deep", "first"],
    ...["/main:", ".gitattributes", ".gitmodules", "file", "module", "out", "run", "sub", "", "/queried:", "deep"],
    ...["755 /main/run", "644 /main/file", "/etc/passwd"],
  ]);
  expect(await shown("cloned", "cat /main/module/file; ls /main/module -A")).toEqual(["module", "file"]);
  expect(git.sprung()).toEqual([]);
  const fetches = git.fetches();
  expect((await ramekin("build", folder)).stderr.match(/^#\d+ CACHED$/gm)?.length).toBe(4);
  // What has not moved is not fetched.
  expect(git.fetches()).toBe(fetches);
  for (const [text, said] of [
    [`ADD ${git.url}#nothing /x`, "has no nothing"],
    [`ADD ${git.url}#main:out /x`, "has no directory out"],
    [`ADD --checksum=0123456789 ${git.url} /x`, "expected checksum to match 0123456789"],
    [`ADD ${git.url}#--upload-pack=x /x`, "no name of a branch"],
    [`ADD ${git.url.replace("main.git", "absent.git")} /x`, "git ls-remote"],
  ] as const) {
    await write(text);
    const { code, stderr } = await ramekin("build", folder);
    expect([text, code, stderr]).toEqual([text, 1, expect.stringContaining(said)]);
  }
});

test("[BLD-6] links of a context are followed where they are named, and lead nowhere out of it", async () => {
  const folder = await context("tricks", { "in/file": "inside\n", Dockerfile: "" });
  for (const [name, target] of [
    ["out", "/etc/hostname"],
    ["up", "../../../../../../etc"],
    ["alias", "in/file"],
    ["in/absolute", "/in/file"],
    ["loop", "loop"],
  ] as const)
    await symlink(target, join(folder, name));
  await writeFile(join(folder, "Dockerfile"), lines("FROM busybox", "COPY alias in/absolute /named/", "COPY in /whole/"));
  expect((await ramekin("build", "-t", "tricks", folder)).code).toBe(0);
  expect(await shown("tricks", "cat /named/alias /named/absolute; readlink /whole/absolute")).toEqual(["inside", "inside", "/in/file"]);
  for (const word of ["out", "up/passwd", "up", "../../etc/passwd", "/etc/passwd", "loop"]) {
    await writeFile(join(folder, "Dockerfile"), `FROM busybox\nCOPY ${word} /x\n`);
    const { code, stderr } = await ramekin("build", folder);
    expect([word, code, stderr]).toEqual([word, 1, expect.stringMatching(/not found|too many levels/)]);
  }
});
