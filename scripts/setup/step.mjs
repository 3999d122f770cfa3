import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { repository } from "./run.mjs";

const stamps = join(repository, ".cache", "setup");

/**
 * A digest of the contents of files and folders: what a step depends on. The Node that runs this is no part of it: the first
 * time it is the machine's, and then npm finds the pinned one before it. Nor is what is made (`hello`, `parts`).
 */
export function fingerprint(paths, { skip = ["node_modules", "dist", "target", "test", "hello", "parts"] } = {}) {
  const hash = createHash("sha256");
  const visit = (path) => {
    if (!existsSync(path)) return;
    if (statSync(path).isDirectory()) {
      for (const name of readdirSync(path).sort()) if (!skip.includes(name) && !name.startsWith(".")) visit(join(path, name));
    } else {
      hash.update(path.slice(repository.length)).update("\0").update(readFileSync(path));
    }
  };
  for (const path of paths) visit(join(repository, path));
  return hash.digest("hex");
}

/**
 * One step of the set-up: says what it does, every `interval` milliseconds where it is (the last line that `work` has told
 * of), and how long it took; does nothing when `print` is what it was the last time and `present` still holds.
 */
export async function step(name, { print, present = () => true, work, say = process.stderr, interval = 10_000, folder = stamps }) {
  const stamp = join(folder, name.replaceAll(/\W+/g, "-"));
  if (print !== undefined && present() && existsSync(stamp) && readFileSync(stamp, "utf8") === print) return false;
  const begin = Date.now();
  const seconds = (digits) => `${((Date.now() - begin) / 1000).toFixed(digits)} s`;
  say.write(`ramekin: ${name} …\n`);
  let last = "";
  const timer = setInterval(() => say.write(`ramekin:   ${seconds(0)}${last && `: ${last}`}\n`), interval);
  try {
    await work((line) => {
      last = line.trim().slice(0, 100) || last;
    });
  } finally {
    clearInterval(timer);
  }
  if (print !== undefined) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(stamp, print);
  }
  say.write(`ramekin: ${name}: done in ${seconds(1)}\n`);
  return true;
}

/** A failure that the person can mend: printed without a stack trace. */
export class SetupError extends Error {}
