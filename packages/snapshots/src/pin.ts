import { linkSync, readdirSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { ifPresent } from "./errors.ts";
import { RECORD, type Snapshot } from "./record.ts";

const PREFIX = "p.";
const pinOf = (parentId: string) => `${PREFIX}${parentId}`;

/** Holds `parent` from `directory`, its child's: by a hard link to its record, so that counting children is one stat(2). */
export function pin(directory: string, parent: Pick<Snapshot, "id" | "directory">): void {
  linkSync(join(parent.directory, RECORD), join(directory, pinOf(parent.id)));
}

/** Lets go of all parents but `keep`. */
export function unpin(directory: string, keep?: string): void {
  for (const name of ifPresent(() => readdirSync(directory)) ?? []) {
    if (name.startsWith(PREFIX) && (keep === undefined || name !== pinOf(keep))) ifPresent(() => unlinkSync(join(directory, name)));
  }
}
