import { addon } from "./addon.ts";
import { systemError } from "./errors.ts";

/** Makes durable whatever was written to the file system that holds `path`, syncfs(2): one wait for any number of files. */
export async function syncFileSystem(path: string): Promise<void> {
  try {
    await addon().syncFileSystem(path);
  } catch (error) {
    throw systemError(error, `sync ${path}`);
  }
}
