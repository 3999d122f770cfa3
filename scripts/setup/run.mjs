// Runs on the machine's own Node (20 or later), before anything is installed: plain JavaScript, no dependency.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

export const repository = fileURLToPath(new URL("../..", import.meta.url));

/** The Node that `package.json` pins, first on PATH once it is installed; the machine's own may be too old for the tools. */
export function environment(extra = {}) {
  const folders = [join(repository, "node_modules", "node", "bin"), join(repository, "node_modules", ".bin")];
  return { ...process.env, ...extra, PATH: [...folders, process.env.PATH].join(delimiter) };
}

export const pinnedNode = () => {
  // Not node_modules/.bin/node: that is a shell script, which costs each start some milliseconds.
  const path = join(repository, "node_modules", "node", "bin", "node");
  return existsSync(path) ? path : process.execPath;
};

/**
 * Runs a command to its end. `quiet` keeps its output back and shows it only if it fails.
 * Resolves with `{ code, output }`; `code` is 128 + n after signal n, as a shell has it.
 */
export function run(command, args, { quiet = false, env = {}, cwd = repository, onLine } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env: environment(env), stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    let rest = "";
    const take = (stream) => (chunk) => {
      const text = chunk.toString();
      output += text;
      if (!quiet) stream.write(text);
      if (!onLine) return;
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) onLine(line);
    };
    child.stdout.on("data", take(process.stdout));
    child.stderr.on("data", take(process.stderr));
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (rest && onLine) onLine(rest);
      resolve({ code: code ?? 128 + (signal === "SIGKILL" ? 9 : 15), output });
    });
  });
}
