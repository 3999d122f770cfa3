import { mkdir, writeFile } from "node:fs/promises";
import { isRamekinError, RamekinError } from "@ramekin/core";
import { fileError, readIfThere, replaceFile } from "./files.ts";
import type { Paths } from "./paths.ts";

/** Of everything below root. A store of a later layout is refused; there is no earlier one. */
const layoutVersion = 1;

/** Makes the store's directories when there is none; else reads one file. Only their owner may enter: layers hold set-user-ID programs. */
export async function openStore(paths: Paths): Promise<void> {
  const found = await readIfThere(paths.version).catch((error: unknown) => {
    throw denied(
      error,
      `cannot open the store ${paths.root}: it is another user's`,
      "run it as that user, or choose another store with --root",
    );
  });
  if (found !== undefined) return checkVersion(found, paths.root);
  try {
    for (const directory of [paths.images, paths.leases, paths.used, paths.names]) await mkdir(directory, { recursive: true, mode: 0o700 });
    await writeFile(paths.lock, "", { flag: "a", mode: 0o600 });
  } catch (error) {
    throw denied(fileError(error, paths.root), `cannot make the store ${paths.root}`, "choose another with --root, or RAMEKIN_ROOT");
  }
  // Last, so that whoever finds it finds the rest; two processes write the same.
  await replaceFile(paths.version, `${layoutVersion}\n`, { durable: true });
}

/** With what can be done about it; other errors pass as they are. */
function denied(error: unknown, message: string, hint: string): unknown {
  return isRamekinError(error, "PERMISSION_DENIED") ? new RamekinError("PERMISSION_DENIED", message, { cause: error, hint }) : error;
}

function checkVersion(text: string, root: string): void {
  const version = /^[0-9]+\n?$/.test(text) ? Number(text) : Number.NaN;
  if (version === layoutVersion) return;
  if (version > layoutVersion) {
    throw new RamekinError("UNSUPPORTED", `store ${root} has layout ${version}, this ramekin knows ${layoutVersion}`, {
      hint: "use the newer ramekin that made it",
    });
  }
  throw new RamekinError("DATA_LOSS", `store ${root}: file version holds ${JSON.stringify(text.slice(0, 40))}, not a number`);
}
