import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SnapshotInfo } from "@ramekin/core";
import { ifPresent } from "./errors.ts";

/** `meta.json` of a snapshot's directory. */
export interface SnapshotRecord extends SnapshotInfo {
  /** Directory ids of the parent, its parent and so on: mounting reads one file, however deep the stack. */
  readonly stack: readonly string[];
  readonly volatile?: boolean;
  readonly readOnly?: boolean;
}

export interface Snapshot {
  readonly id: string;
  /** Absolute: `<root>/l/<id>`. */
  readonly directory: string;
  readonly record: SnapshotRecord;
}

export const RECORD = "meta.json";

/** Undefined for a record that is not there, or that a power failure tore: only committed ones are synced. */
export function readRecord(directory: string): SnapshotRecord | undefined {
  const text = ifPresent(() => readFileSync(join(directory, RECORD), "utf8"));
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

export function writeRecord(directory: string, record: SnapshotRecord, name = RECORD): void {
  writeFileSync(join(directory, name), JSON.stringify(record), { mode: 0o600 });
}

/** What the contract tells of a snapshot. */
export function infoOf({ key, kind, parent, labels }: SnapshotRecord): SnapshotInfo {
  return { key, kind, ...(parent !== undefined && { parent }), ...(labels && { labels }) };
}
