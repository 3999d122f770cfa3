import { usage } from "@ramekin/native";
import type { Scope } from "../scope.ts";
import { volumePaths } from "../store/volumes.ts";

/** Bytes of its files; a file with several names counts once. */
export async function volumeSize(scope: Scope, name: string): Promise<number> {
  const { data } = volumePaths(scope.paths, name);
  return (await usage(data).catch(() => undefined))?.size ?? 0;
}
