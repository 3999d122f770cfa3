import type { Platform } from "@ramekin/core";
import type { EngineEvent } from "./api.ts";
import type { Kernel } from "./kernel/kernel.ts";
import type { Paths } from "./store/paths.ts";
import type { GcPolicy } from "./store-api.ts";

/** What every use case works with: where things are, who does them, and whom to tell. One per engine. */
export interface Scope {
  readonly paths: Paths;
  readonly kernel: Kernel;
  /** Fires when the engine is disposed. */
  readonly signal: AbortSignal;
  /** This machine's, unless somebody asks for another. */
  readonly platform: Platform;
  /** Canonical image name to an OCI layout that comes with the installation: taken before any registry is asked. */
  readonly embedded: Readonly<Record<string, string>>;
  /** The store's directories are there and of a layout that we know. */
  opened(): Promise<void>;
  /** `[gc]` of config.toml; undefined without one. */
  policy(): Promise<GcPolicy | undefined>;
  /** For what went wrong and changes nothing. Never lost, never thrown. */
  warn(message: string): void;
  /** Into the journal of events. Of containers: `tell`. */
  emit(type: EngineEvent["type"], action: string, id: string, attributes?: Readonly<Record<string, string>>): void;
}

/** `work` that may fail without changing the outcome; its failure is told. */
export async function attempt(scope: Pick<Scope, "warn">, what: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    scope.warn(`${what}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
