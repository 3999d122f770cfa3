import { createRequire } from "node:module";
import { RamekinError, type Support } from "@ramekin/core";
import { nativeParts, nativeProgram } from "./parts.ts";

/** What `ramekin.node` exports; see crates/bindings-napi. */
export interface Addon {
  buildId(): string;
  tryFlock(fd: number, exclusive: boolean): boolean;
  syncFileSystem(path: string): Promise<void>;
  readonly Hasher: new (algorithm: string) => { update(chunk: Uint8Array): void; digest(): string };
  readonly Transform: {
    decoder(format: string, maxOutput?: number): NativeTransform;
    encoder(format: string, level?: number): NativeTransform;
  };
}

/** A stream on its way through a codec, on a thread of its own. */
export interface NativeTransform {
  /** Resolves once there is room for more; with false when no more is wanted. */
  write(chunk: Uint8Array): Promise<boolean>;
  end(): void;
  /** The next chunk, null at the end or once cancelled; rejects with `CODE: message`. One at a time. */
  read(): Promise<Uint8Array | null>;
  cancel(): void;
}

let loaded: Addon | undefined;

/** Loads it on first use, by its own path: the loader that napi-rs generates is 36 kB of JavaScript. */
export function addon(): Addon {
  loaded ??= load();
  return loaded;
}

function load(): Addon {
  const path = nativeProgram("ramekin.node");
  let exports: Addon;
  try {
    exports = createRequire(import.meta.url)(path);
  } catch (error) {
    throw new RamekinError("UNSUPPORTED", `${path} does not load: ${(error as Error).message}`, {
      cause: error,
      hint: "it may be built for another platform or C library",
    });
  }
  const { buildId } = nativeParts();
  if (buildId !== undefined && exports.buildId() !== buildId) {
    throw new RamekinError("UNSUPPORTED", `${path} is of build ${exports.buildId()}, its neighbours are of ${buildId}`, {
      hint: "native parts of two builds are mixed: build or install them again",
    });
  }
  return exports;
}

/** For a driver's `probe`: whether the addon is there, loads, and fits. */
export function nativeSupport(): Support {
  try {
    addon();
    return { ok: true };
  } catch (error) {
    if (!(error instanceof RamekinError)) throw error;
    return { ok: false, reason: error.message, ...(error.hint === undefined ? {} : { hint: error.hint }) };
  }
}
