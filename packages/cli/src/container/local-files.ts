import { resolve } from "node:path";
import { RamekinError } from "@ramekin/core";
import type { Engine } from "@ramekin/engine";
import type { Files } from "./copy-files.ts";

/** The files of this machine. `archive`: with their owners. */
export function localFiles(engine: Engine, { archive, signal }: { readonly archive: boolean; readonly signal: AbortSignal }): Files {
  const { hostFiles } = engine;
  return {
    show: (path) => path,
    look: (path, follow) => hostFiles.look(path, { signal, follow }),
    pack: (path, options) => hostFiles.copyFrom(path, { signal, ...options }),
    unpack: (directory, tar) => hostFiles.copyTo(directory, tar, { signal, keepOwners: archive }),
    noDirectory: (path) => new RamekinError("NOT_FOUND", `lstat ${path}: no such file or directory`),
  };
}

/** A slash or `/.` at the end means something. */
export function absolute(path: string): string {
  const end = /\/\.?$/.exec(path)?.[0] ?? (path === "." ? "/." : "");
  const whole = resolve(path);
  return whole === "/" ? whole : `${whole}${end}`;
}
