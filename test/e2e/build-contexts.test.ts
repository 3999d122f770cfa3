import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { expect, test } from "vitest";
import { busyboxImage, eventually, missing, needs, noKitchen, repositoryServer, start, succeed, useKitchen } from "../support/index.ts";

const here = useKitchen(async () => ({ images: [await busyboxImage()] }));
const ramekin = (...args: string[]) => here().ramekin(args);
const output = (...args: string[]) => here().output(args);
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

const built = async (name: string, ...words: string[]) => output("run", "--rm", name, ...words);

test("[BLD-20] [build --file] a context from stdin, packed as it likes; a Dockerfile from stdin, with and without a context", async () => {
  const folder = await context("stdin", {
    Dockerfile: lines("FROM busybox", "COPY . /all/"),
    "other/Cookfile": lines("FROM busybox", "COPY sub /sub/"),
    "sub/file": "packed\n",
    ".dockerignore": "sub\n",
  });
  for (const [option, flags] of [
    ["-c", []],
    ["-cz", []],
    ["-cJ", ["-f", "other/Cookfile"]],
  ] as const) {
    const tar = join(here().folder, `context${option}.tar`);
    await succeed(["tar", option, "-f", tar, "-C", folder, "."]);
    const { code, stderr } = await here().ramekin(["build", "-t", "packed", ...flags, "-"], { input: await readFile(tar) });
    expect(code, stderr).toBe(0);
    // As with Docker: .dockerignore is for what is sent, and this has been.
    expect(await built("packed", "cat", flags.length > 0 ? "/sub/file" : "/all/sub/file")).toBe("packed");
  }
  const alone = await here().ramekin(["build", "-t", "alone", "-"], { input: "FROM busybox\nENV ALONE=yes\n" });
  expect(alone.code, alone.stderr).toBe(0);
  expect(await built("alone", "sh", "-c", "echo $ALONE")).toBe("yes");
  const needy = await here().ramekin(["build", "-"], { input: "FROM busybox\nCOPY x /\n" });
  expect(needy).toMatchObject({ code: 1, stderr: expect.stringContaining("there is no build context to copy from") });
  const both = await here().ramekin(["build", "-t", "both", "-f", "-", folder], { input: "FROM busybox\nCOPY other /other/\n" });
  expect(both.code, both.stderr).toBe(0);
  expect(await built("both", "ls", "/other")).toBe("Cookfile");
  expect(await here().ramekin(["build", "-f", "-", "-"], { input: "FROM busybox\n" })).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("stdin cannot be both"),
  });
  expect(await here().ramekin(["build", "-f", "x", "-"], { input: "FROM busybox\n" })).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("ambiguous Dockerfile source"),
  });
  // A link in an archive leads nowhere out of it.
  const hostile = await context("hostile", { "in/file": "" });
  await succeed(["ln", "-s", "/etc/passwd", join(hostile, "Dockerfile")]);
  await succeed(["tar", "-c", "-f", join(here().folder, "hostile.tar"), "-C", hostile, "."]);
  expect(await here().ramekin(["build", "-"], { input: await readFile(join(here().folder, "hostile.tar")) })).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("failed to read dockerfile: open Dockerfile: no such file or directory"),
  });
});

test("[BLD-7] [BLD-20] contexts behind addresses: archives, Dockerfiles, repositories with ref and directory", async () => {
  needs(noKitchen);
  const folder = await context("served", { Dockerfile: lines("FROM busybox", "COPY file /served"), file: "served\n" });
  await succeed(["tar", "-czf", join(folder, "context.tar.gz"), "-C", folder, "Dockerfile", "file"]);
  const server = createServer(async (request, response) => {
    const name = (request.url ?? "/").slice(1);
    response.end(name === "Cookfile" ? "FROM busybox\nENV FETCHED=yes\n" : await readFile(join(folder, name)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const at = server.address();
  const address = `http://127.0.0.1:${typeof at === "object" ? at?.port : ""}`;
  try {
    await output("build", "-q", "-t", "served", `${address}/context.tar.gz`);
    expect(await built("served", "cat", "/served")).toBe("served");
    await output("build", "-q", "-t", "cooked", `${address}/Cookfile`);
    expect(await built("cooked", "sh", "-c", "echo $FETCHED")).toBe("yes");
  } finally {
    server.closeAllConnections();
    server.close();
  }
  await using git = await repositoryServer(join(here().folder, "repositories"));
  git.setTraps(here().env["HOME"] as string);
  await succeed([
    "sh",
    "-c",
    `cd "$0/work-main" && printf 'FROM busybox\\nCOPY . /all/\\n' > sub/Dockerfile && git add . && git -c user.name=C -c user.email=c@example.com -c core.hooksPath=/dev/null commit -qm three && git push -q "$1" main`,
    join(here().folder, "repositories"),
    git.path,
  ]);
  for (const text of [`${git.url}#main:sub`, `${git.url}?branch=main&subdir=sub`, `file://${git.path}#main:sub`]) {
    const { code, stderr } = await ramekin("build", "-t", "cloned", text);
    expect([text, code], stderr).toEqual([text, 0]);
    expect((await built("cloned", "ls", "/all")).split("\n")).toEqual(["Dockerfile", "deep", "read.md"]);
  }
  expect(git.sprung()).toEqual([]);
  expect(await ramekin("build", `${git.url}#main:../../../etc`)).toMatchObject({ code: 1 });
  expect(await ramekin("build", "-f", "nothing", `${git.url}#main`)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("open nothing: no such file"),
  });
});

test("[build --build-context] [BLD-7] named contexts: directories, repositories, images, layouts, stages", async () => {
  needs(noKitchen);
  await using git = await repositoryServer(join(here().folder, "named-repositories"));
  const extra = await context("extra", { "tools/tool": "tool\n", "noise.log": "", ".dockerignore": "*.log\n" });
  const folder = await context("named", {
    Dockerfile: lines(
      "FROM debian AS base",
      "RUN echo base > /base",
      "FROM files AS from-files",
      "FROM base",
      "COPY --from=files / /files/",
      "COPY --from=code file /code",
      "COPY --from=docker.io/library/alpine:latest /from-image /",
      "COPY --from=layout /from-image /from-layout",
      "COPY --from=alias /base /aliased",
      "COPY --from=from-files /tools/tool /tool",
      "RUN --mount=type=bind,from=files,source=tools,target=/mnt cat /mnt/tool > /mounted",
    ),
  });
  const image = await here().ramekin(["build", "-t", "other", "-"], { input: "FROM busybox\nRUN echo image > /from-image\n" });
  expect(image.code, image.stderr).toBe(0);
  await output("save", "--format", "oci-dir", "-o", join(here().folder, "layout"), "other");
  const flags = {
    files: extra,
    code: git.url,
    debian: "docker-image://busybox",
    alpine: "docker-image://other",
    layout: `oci-layout://${join(here().folder, "layout")}`,
    alias: "target:base",
  };
  const contexts = Object.entries(flags).flatMap(([name, value]) => ["--build-context", `${name}=${value}`]);
  const { code, stderr } = await ramekin("build", "-t", "named", ...contexts, folder);
  expect(code, stderr).toBe(0);
  const script = "ls -A /files /files/tools; cat /code /from-image /from-layout /aliased /tool /mounted";
  expect((await built("named", "sh", "-c", script)).split("\n")).toEqual([
    ...["/files:", ".dockerignore", "tools", "", "/files/tools:", "tool"],
    ...["second", "image", "image", "base", "tool", "tool"],
  ]);
  expect((await ramekin("build", ...contexts, folder)).stderr).not.toMatch(/COPY.*\n#\d+ DONE/);
  await writeFile(join(extra, "tools/tool"), "sharper\n");
  const changed = (await ramekin("build", "-t", "named", ...contexts, folder)).stderr;
  expect(changed).toMatch(/COPY --from=files .*\n#\d+ DONE/);
  for (const [flag, said] of [
    ["files=/nowhere", "/nowhere cannot be read"],
    ["files", "expected key=value"],
    ["alias=target:nothing", 'the stage "nothing", which is not above'],
    [`layout=oci-layout://${join(here().folder, "layout")}:absent`, "has no image absent"],
  ] as const) {
    const refused = await ramekin("build", ...contexts, "--build-context", flag, folder);
    expect([flag, refused.code, refused.stderr]).toEqual([flag, 1, expect.stringContaining(said)]);
  }
});

test("[BLD-6] [BLD-7] [BLD-20] repositories by ssh: with an agent, without questions", async () => {
  needs(noKitchen ?? missing("sshd", "ssh", "ssh-agent", "ssh-add", "ssh-keygen"));
  await using git = await repositoryServer(join(here().folder, "ssh-repositories"));
  const at = join(here().folder, "sshd");
  await mkdir(at, { mode: 0o700 });
  // A path that a socket has room for.
  const short = await mkdtemp("/tmp/agent-");
  for (const name of ["host", "user"]) await succeed(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", join(at, name)]);
  const port = await freePort();
  const settings = [`Port ${port}`, "ListenAddress 127.0.0.1", `HostKey ${at}/host`, `AuthorizedKeysFile ${at}/user.pub`];
  settings.push("StrictModes no", "UsePAM no", "PasswordAuthentication no", "PermitRootLogin prohibit-password", "PidFile none");
  await writeFile(join(at, "config"), `${settings.join("\n")}\n`);
  const { stdout: sshd } = await succeed(["which", "sshd"]);
  await mkdir("/run/sshd", { recursive: true });
  const server = start([sshd.trim(), "-D", "-e", "-f", join(at, "config")]);
  const agent = start(["ssh-agent", "-D", "-a", join(short, "agent")]);
  try {
    const env = { SSH_AUTH_SOCK: join(short, "agent"), GIT_SSH_COMMAND: `ssh -F none -oBatchMode=yes -oUserKnownHostsFile=${at}/known` };
    await eventually(() => succeed(["ssh-add", "-q", join(at, "user")], { env }));
    const url = `ssh://root@127.0.0.1:${port}${git.path}`;
    const folder = await context("by-ssh", { Dockerfile: lines("FROM busybox", `ADD ${url}#v1 /code`) });
    const build = () => here().ramekin(["build", "-t", "by-ssh", folder], { env });
    // A server that nobody knows is not talked to, and nobody is asked.
    expect(await build()).toMatchObject({ code: 1, stderr: expect.stringContaining("git ls-remote") });
    await writeFile(join(at, "known"), `[127.0.0.1]:${port} ${await readFile(join(at, "host.pub"), "utf8")}`);
    await eventually(async () => {
      const { code, stderr } = await build();
      expect(code, stderr).toBe(0);
    });
    expect(await built("by-ssh", "cat", "/code/file")).toBe("first");
    // The key is not where the program runs that fetches: without the agent there is none.
    expect(await here().ramekin(["build", url], { env: { ...env, SSH_AUTH_SOCK: "" } })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("git ls-remote"),
    });
  } finally {
    for (const each of [server, agent]) {
      each.child.kill("SIGTERM");
      await each.ended;
    }
    await rm(short, { recursive: true });
  }
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const at = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof at === "object" && at ? at.port : 0;
}
