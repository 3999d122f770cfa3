import { spawn } from "node:child_process";
import { RamekinError } from "@ramekin/core";
import type { Credentials, Environment } from "./credentials.ts";

type Operation = "get" | "store" | "erase" | "list";

/** A helper may ask somebody to unlock a key ring, but not forever. */
const patience = 60_000;

/** What a helper keeps: the user name `<token>` marks an identity token. */
export interface Kept {
  readonly username: string;
  readonly secret: string;
}

/** `docker-credential-NAME` (docker/docker-credential-helpers): the operation is its argument, the rest is JSON on stdin and stdout. */
export function credentialHelper(name: string, environment: Environment) {
  const ask = (operation: Operation, input: string) => run(name, operation, input, environment);
  return {
    name,
    /** Undefined when it has nothing for this server. */
    async get(server: string): Promise<Kept | undefined> {
      const answer = await ask("get", server);
      if (answer === undefined) return undefined;
      const { Username: username, Secret: secret } = parse(name, answer) as { Username?: unknown; Secret?: unknown };
      if (typeof username !== "string" || typeof secret !== "string") throw broken(name, "answers without user name and secret");
      return secret === "" ? undefined : { username, secret };
    },
    async store(server: string, { username, secret }: Kept): Promise<void> {
      await ask("store", JSON.stringify({ ServerURL: server, Username: username, Secret: secret }));
    },
    async erase(server: string): Promise<void> {
      await ask("erase", server);
    },
    /** User names by server. */
    async list(): Promise<Readonly<Record<string, string>>> {
      return parse(name, (await ask("list", "")) ?? "{}") as Record<string, string>;
    },
  };
}

export function credentialsOf({ username, secret }: Kept): Credentials {
  return username === "<token>" ? { identityToken: secret } : { username, password: secret };
}

/** Undefined for "not found", which helpers say on stdout. */
function run(name: string, operation: Operation, input: string, environment: Environment): Promise<string | undefined> {
  const program = `docker-credential-${name}`;
  // It becomes part of a program's name, and must not become part of a path.
  if (!/^[\w.-]+$/.test(name)) return Promise.reject(broken(name, "is no name of a credential helper"));
  return new Promise((resolve, reject) => {
    const child = spawn(program, [operation], { env: { ...environment }, stdio: ["pipe", "pipe", "pipe"], timeout: patience });
    let said = "";
    let errors = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(0, 1 << 20);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      errors = (errors + text).slice(-1000);
    });
    child.stdin.on("error", () => undefined); // `list` need not read
    child.stdin.end(input);
    child.once("error", (cause: NodeJS.ErrnoException) =>
      reject(
        cause.code === "ENOENT"
          ? broken(name, "is not installed", `install ${program}, or take it out of the configuration file`)
          : broken(name, cause.message),
      ),
    );
    child.once("close", (code, signal) => {
      if (code === 0) return resolve(said);
      if (/credentials not found/i.test(said)) return resolve(undefined);
      const reason = (said || errors).trim().split("\n")[0] ?? "";
      reject(broken(name, `cannot ${operation}: ${reason || (signal ? `ended by ${signal}` : `exit status ${code}`)}`));
    });
  });
}

function parse(name: string, text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value;
  } catch {
    // said below, without the text: it may be a secret
  }
  throw broken(name, "does not answer with JSON");
}

const broken = (name: string, what: string, hint?: string) =>
  new RamekinError("UNAVAILABLE", `the credential helper ${JSON.stringify(name)} ${what}`, hint === undefined ? {} : { hint });
