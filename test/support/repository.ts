import { execFile, spawn } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { promisify } from "node:util";

/** A repository on a port of this machine, by git's own server program. */
export interface RepositoryServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT/main.git` */
  readonly url: string;
  /** The bare repository. */
  readonly path: string;
  /** The first commit, which the tag v1 is at; the branch main is at another. */
  readonly first: string;
  /** How often files were asked for, rather than names. */
  fetches(): number;
  /** Sets up a home whose configuration would run programs for this repository: hooks and a filter. */
  setTraps(home: string): void;
  /** Those that were run: none ought to be. */
  sprung(): readonly string[];
}

/** With a submodule, a link that leads out, a program, and attributes that name filters, which a careless clone runs. */
export async function repositoryServer(folder: string): Promise<RepositoryServer> {
  mkdirSync(folder, { recursive: true });
  let requests = 0;
  const server = createServer((request, response) => {
    const [path = "", query = ""] = (request.url ?? "").split("?");
    const env = {
      ...process.env,
      GIT_PROJECT_ROOT: folder,
      GIT_HTTP_EXPORT_ALL: "1",
      GIT_PROTOCOL: String(request.headers["git-protocol"] ?? ""),
      PATH_INFO: path,
      QUERY_STRING: query,
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: request.headers["content-type"] ?? "",
      HTTP_CONTENT_ENCODING: String(request.headers["content-encoding"] ?? ""),
    };
    const child = spawn("git", ["http-backend"], { env });
    // It may have answered before it has read all: a request that it refuses.
    child.stdin.on("error", () => {});
    const body: Buffer[] = [];
    request.on("data", (chunk: Buffer) => body.push(chunk));
    request.on("end", () => {
      // Names are asked for by the same address (gitprotocol-v2(5)).
      if (Buffer.concat(body).includes("command=fetch")) requests++;
      child.stdin.end(Buffer.concat(body));
    });
    const chunks: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.on("close", () => {
      const whole = Buffer.concat(chunks);
      const end = whole.indexOf("\r\n\r\n");
      const headers = whole
        .toString("latin1", 0, Math.max(0, end))
        .split("\r\n")
        .map((line) => line.split(": ") as [string, string]);
      const status = Number(headers.find(([name]) => name === "Status")?.[1]?.split(" ")[0] ?? 200);
      response.writeHead(end < 0 ? 500 : status, Object.fromEntries(headers.filter(([name]) => name !== "Status")));
      response.end(whole.subarray(end + 4));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const at = server.address();
  const origin = `http://127.0.0.1:${typeof at === "object" ? at?.port : ""}`;
  const trapped = join(folder, "trapped");
  mkdirSync(trapped);

  const identity = ["-c", "user.name=Cook", "-c", "user.email=cook@example.com", "-c", "commit.gpgsign=false"];
  const git = async (where: string, ...args: string[]) =>
    (
      await promisify(execFile)("git", ["-C", where, ...identity, ...args], { env: { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null" } })
    ).stdout.trim();
  const make = async (name: string) => {
    const work = join(folder, `work-${name}`);
    mkdirSync(work);
    await git(work, "init", "--quiet", "--initial-branch=main");
    return work;
  };
  const publish = async (work: string, name: string) => {
    await git(folder, "clone", "--quiet", "--bare", work, `${name}.git`);
    await git(join(folder, `${name}.git`), "config", "uploadpack.allowAnySHA1InWant", "true");
  };
  const module = await make("module");
  writeFileSync(join(module, "file"), "module\n");
  await git(module, "add", ".");
  await git(module, "commit", "--quiet", "-m", "module");
  await publish(module, "module");

  const work = await make("main");
  mkdirSync(join(work, "sub"));
  writeFileSync(join(work, "file"), "first\n");
  writeFileSync(join(work, "sub/deep"), "deep\n");
  writeFileSync(join(work, "sub/read.md"), "read\n");
  await git(work, "add", ".");
  await git(work, "commit", "--quiet", "-m", "first");
  await git(work, "tag", "-a", "v1", "-m", "one");
  const first = await git(work, "rev-parse", "HEAD");
  writeFileSync(join(work, "file"), "second\n");
  writeFileSync(join(work, "run"), "#!/bin/sh\n");
  writeFileSync(join(work, ".gitattributes"), "* filter=trap\n");
  chmodSync(join(work, "run"), 0o755);
  symlinkSync("/etc/passwd", join(work, "out"));
  await git(work, "submodule", "--quiet", "add", `${origin}/module.git`, "module");
  await git(work, "add", ".");
  await git(work, "commit", "--quiet", "-m", "second");
  await publish(work, "main");
  requests = 0;
  return {
    url: `${origin}/main.git`,
    path: join(folder, "main.git"),
    first,
    fetches: () => requests,
    setTraps(home) {
      const hooks = join(folder, "hooks");
      mkdirSync(hooks);
      for (const name of ["post-checkout", "post-merge", "reference-transaction"])
        writeFileSync(join(hooks, name), `#!/bin/sh\ntouch ${trapped}/${name}\n`, { mode: 0o755 });
      const settings = [`[core]\n\thooksPath = ${hooks}`, `[filter "trap"]\n\tsmudge = touch ${trapped}/filter && cat\n\trequired = true`];
      writeFileSync(join(home, ".gitconfig"), `${settings.join("\n")}\n`);
    },
    sprung: () => readdirSync(trapped),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
