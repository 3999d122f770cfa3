import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { repository } from "./run.mjs";

const stamps = join(repository, ".cache", "setup");

/** A digest of the contents of files and folders: what a step depends on. */
export function fingerprint(paths, { skip = ["node_modules", "dist", "target", "test"] } = {}) {
  const hash = createHash("sha256").update(process.versions.modules);
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
 * One step of the set-up: says what it does, and how long it took; does nothing when `print` is what it was the last time
 * and `present` still holds.
 */
export async function step(name, { print, present = () => true, work, say = process.stderr }) {
  const stamp = join(stamps, name.replaceAll(/\W+/g, "-"));
  if (print !== undefined && present() && existsSync(stamp) && readFileSync(stamp, "utf8") === print) return false;
  const begin = Date.now();
  say.write(`ramekin: ${name} …\n`);
  await work();
  if (print !== undefined) {
    mkdirSync(stamps, { recursive: true });
    writeFileSync(stamp, print);
  }
  say.write(`ramekin: ${name}: done in ${((Date.now() - begin) / 1000).toFixed(1)} s\n`);
  return true;
}

/** A failure that the person can mend: printed without a stack trace. */
export class SetupError extends Error {}
