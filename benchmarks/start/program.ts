import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Effort } from "../contender.ts";

/** Runs to its end without a shell; rejects, with what it said, unless it ended with 0. */
export function program(
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<undefined> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["ignore", "ignore", "pipe"], ...options });
    let said = "";
    child.stderr.on("data", (chunk) => {
      said += chunk;
    });
    child.on("error", reject);
    child.on("close", (code, signal) =>
      code === 0 ? resolve(undefined) : reject(new Error(`${command} ${args.join(" ")}: ${code ?? signal}: ${said.trim()}`)),
    );
  });
}

export const installed = (command: string): boolean => spawnSync("sh", ["-c", `command -v ${command}`]).status === 0;

/** As `program`, under time(1): with the peak of the resident sets of the process and of those it waited for. */
export async function measured(
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<Effort> {
  const directory = mkdtempSync(join(tmpdir(), "ramekin-time-"));
  const report = join(directory, "report");
  try {
    await program("/usr/bin/time", ["-f", "%M", "-o", report, command, ...args], options);
    return { resident: Number(readFileSync(report, "utf8").trim()) * 1024 };
  } finally {
    rmSync(directory, { recursive: true });
  }
}
