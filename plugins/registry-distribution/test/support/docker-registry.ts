import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** Debian's `docker-registry`: the reference implementation, in a process of its own. */
export interface DockerRegistry extends AsyncDisposable {
  /** `127.0.0.1:port`, as it stands in a reference. */
  readonly host: string;
  /** Where it keeps its blobs: `docker/registry/v2/blobs/sha256/<2>/<64>/data`. */
  readonly storage: string;
}

export interface DockerRegistryOptions {
  /** Contents of an htpasswd file (bcrypt): only with these users and passwords. */
  readonly htpasswd?: string;
}

/** Why there can be none on this machine; undefined when there can. */
export const noDockerRegistry = (process.env["PATH"] ?? "").split(delimiter).some((folder) => existsSync(join(folder, "docker-registry")))
  ? undefined
  : "docker-registry is not installed (apt-get install docker-registry)";

export async function dockerRegistry({ htpasswd }: DockerRegistryOptions = {}): Promise<DockerRegistry> {
  const folder = await mkdtemp(join(tmpdir(), "ramekin-registry-"));
  const storage = join(folder, "storage");
  const host = `127.0.0.1:${await freePort()}`;
  const passwords = join(folder, "htpasswd");
  if (htpasswd !== undefined) await writeFile(passwords, htpasswd);
  const configuration = {
    version: "0.1",
    log: { level: "error", accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: storage }, delete: { enabled: true } },
    http: { addr: host, secret: "not a secret" },
    ...(htpasswd !== undefined && { auth: { htpasswd: { realm: "test", path: passwords } } }),
  };
  // JSON is YAML.
  await writeFile(join(folder, "config.yml"), JSON.stringify(configuration));

  const child = spawn("docker-registry", ["serve", join(folder, "config.yml")], { stdio: ["ignore", "ignore", "pipe"] });
  const ended = new Promise<void>((resolve) => void child.once("exit", () => resolve()));
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-2000);
  });
  // A test run that is killed must not leave it behind.
  const stop = () => void child.kill("SIGKILL");
  process.once("exit", stop);
  const close = async () => {
    process.off("exit", stop);
    child.kill("SIGKILL");
    await ended;
    await rm(folder, { recursive: true });
  };

  for (let tries = 0; tries < 100; tries++) {
    if (child.exitCode !== null) break;
    const response = await fetch(`http://${host}/v2/`).catch(() => undefined);
    await response?.body?.cancel();
    if (response?.status === 200 || response?.status === 401) return { host, storage, [Symbol.asyncDispose]: close };
    await sleep(50);
  }
  await close();
  throw new Error(`docker-registry does not answer at ${host}: ${said}`);
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await new Promise<number>((resolve, reject) => {
    server.once("error", reject).listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
  await new Promise((resolve) => server.close(resolve));
  return port;
}
