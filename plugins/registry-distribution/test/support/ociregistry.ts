import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, rename } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { missingTool } from "./missing-tool.ts";

const source = join(import.meta.dirname, "ociregistry");

/** cuelabs.dev/go/oci/ociregistry, in memory: has the referrers API and resumes uploads. Built once per machine; a string says why it cannot be had. */
export async function ociRegistry(): Promise<({ readonly host: string } & AsyncDisposable) | string> {
  const absent = missingTool("go", "golang");
  if (absent !== undefined) return absent;
  const files = ["main.go", "go.mod", "go.sum"].map((name) => readFileSync(join(source, name)));
  const key = files.reduce((hash, file) => hash.update(file), createHash("sha256")).digest("hex");
  const cache = join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "ramekin", "test");
  const program = join(cache, `ociregistry-${key.slice(0, 12)}`);
  if (!existsSync(program)) {
    await mkdir(cache, { recursive: true });
    const made = `${program}.${process.pid}`;
    const env = { ...process.env, GOTOOLCHAIN: "local", CGO_ENABLED: "0" };
    try {
      await promisify(execFile)("go", ["build", "-trimpath", "-o", made, "."], { cwd: source, env, timeout: 120_000 });
      await rename(made, program);
    } catch (error) {
      return `ociregistry cannot be built: ${error instanceof Error ? error.message.split("\n").slice(0, 3).join(" ") : error}`;
    }
  }
  const child = spawn(program, { stdio: ["ignore", "pipe", "ignore"] });
  const stop = () => void child.kill("SIGKILL");
  process.once("exit", stop);
  const ended = new Promise<void>((resolve) => void child.once("exit", () => resolve()));
  const [host] = await new Promise<string[]>((resolve) => createInterface(child.stdout).once("line", (line) => resolve([line])));
  return {
    host: host as string,
    async [Symbol.asyncDispose]() {
      process.off("exit", stop);
      stop();
      await ended;
    },
  };
}
