import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Identity } from "./authority.ts";
import { missingTool } from "./missing-tool.ts";
import { tokenIssuer, tokenService } from "./token-server.ts";

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
  readonly tls?: Identity & { /** Only for clients with a certificate of this authority: a path. */ readonly clients?: string };
  /** Only with tokens from this realm, signed by somebody whom this authority knows: a path. */
  readonly tokens?: { readonly realm: string; readonly authority: string };
}

/** Why there can be none on this machine; undefined when there can. */
export const noDockerRegistry = missingTool("docker-registry");

export async function dockerRegistry({ htpasswd, tls, tokens }: DockerRegistryOptions = {}): Promise<DockerRegistry> {
  const folder = await mkdtemp(join(tmpdir(), "ramekin-registry-"));
  const storage = join(folder, "storage");
  const host = `127.0.0.1:${await freePort()}`;
  const passwords = join(folder, "htpasswd");
  if (htpasswd !== undefined) await writeFile(passwords, htpasswd);
  const configuration = {
    version: "0.1",
    log: { level: "error", accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: storage }, delete: { enabled: true } },
    http: {
      addr: host,
      secret: "not a secret",
      ...(tls && { tls: { certificate: tls.cert, key: tls.key, ...(tls.clients !== undefined && { clientcas: [tls.clients] }) } }),
    },
    ...(tokens && {
      auth: { token: { realm: tokens.realm, service: tokenService, issuer: tokenIssuer, rootcertbundle: tokens.authority } },
    }),
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
    if (await listens(host)) return { host, storage, [Symbol.asyncDispose]: close };
    await sleep(50);
  }
  await close();
  throw new Error(`docker-registry does not answer at ${host}: ${said}`);
}

/** Whatever it then speaks, and to whomever. */
function listens(host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(Number(host.split(":")[1]), "127.0.0.1", () => resolve(true));
    socket.once("error", () => resolve(false)).once("connect", () => socket.destroy());
  });
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
