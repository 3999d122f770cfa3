import type { ByteStream, Cancellable } from "@ramekin/core";
import { packTree, unpackInto } from "@ramekin/native";
import type { Scope } from "../scope.ts";
import { volumePaths } from "../store/volumes.ts";
import { mustReadVolume } from "./list.ts";
import { mountVolume } from "./mount.ts";

/** See `Volumes.export`. */
export async function* exportVolume(scope: Scope, name: string, options: Cancellable = {}): AsyncGenerator<Uint8Array> {
  const directory = await opened(scope, name);
  yield* packTree({ directory }, "/", options);
}

/** See `Volumes.import`. */
export async function importVolume(scope: Scope, name: string, tar: ByteStream, options: Cancellable = {}): Promise<void> {
  const directory = await opened(scope, name);
  await unpackInto({ directory }, "/", tar, options);
}

async function opened(scope: Scope, name: string): Promise<string> {
  const volume = await mustReadVolume(scope, name);
  await mountVolume(scope, volume);
  return volumePaths(scope.paths, name).data;
}
