import { spawn, spawnSync } from "node:child_process";

/** Runs to its end without a shell; rejects, with what it said, unless it ended with 0. */
export function program(command: string, args: readonly string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["ignore", "ignore", "pipe"], ...options });
    let said = "";
    child.stderr.on("data", (chunk) => {
      said += chunk;
    });
    child.on("error", reject);
    child.on("close", (code, signal) =>
      code === 0 ? resolve() : reject(new Error(`${command} ${args.join(" ")}: ${code ?? signal}: ${said.trim()}`)),
    );
  });
}

export const installed = (command: string): boolean => spawnSync("sh", ["-c", `command -v ${command}`]).status === 0;
