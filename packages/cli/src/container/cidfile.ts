import { open, rm } from "node:fs/promises";
import { StatusError } from "../argv/status-error.ts";
import { exitStatus } from "../exit-status.ts";

export interface Cidfile {
  write(id: string): Promise<void>;
  /** When there is no container to name in it. */
  discard(): Promise<void>;
}

/** Claims the file before there is a container: a file that exists may belong to another one. */
export async function claimCidfile(path: string): Promise<Cidfile> {
  const file = await open(path, "wx", 0o644).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw new StatusError(`cannot create the container ID file ${path}: ${error.message}`, exitStatus.engine);
    throw new StatusError(
      `container ID file found: ${path}`,
      exitStatus.engine,
      "make sure the other container is not running, or delete the file",
    );
  });
  return {
    async write(id) {
      await file.writeFile(id);
      await file.close();
    },
    async discard() {
      await file.close();
      await rm(path, { force: true });
    },
  };
}
