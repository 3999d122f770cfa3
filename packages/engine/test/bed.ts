import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import codecNode from "@ramekin/codec-node";
import contentLayout from "@ramekin/content-layout";
import { type ErrorCode, isRamekinError, type LayerApplier, type Plugin, type StorageDriver } from "@ramekin/core";
import jsonFile from "@ramekin/log-json-file";
import host from "@ramekin/network-host";
import none from "@ramekin/network-none";
import { memoryStorage } from "@ramekin/storage-memory";
import transportOci from "@ramekin/transport-oci";
import { expect } from "vitest";
import type { Engine } from "../src/api.ts";
import { type CreateEngineOptions, createEngine } from "../src/index.ts";
import { fakeRegistry, hashingApplier, type MadeImage, writeLayout } from "./doubles/image.ts";
import { fakeIsolation } from "./doubles/isolation.ts";

export interface BedOptions extends Partial<CreateEngineOptions> {
  /** In the registry, by canonical name. */
  readonly remote?: Readonly<Record<string, MadeImage>>;
  /** Loaded, by name. */
  readonly local?: Readonly<Record<string, MadeImage>>;
  readonly storage?: StorageDriver;
  readonly applier?: LayerApplier;
  readonly plugins?: readonly Plugin[];
}

/** An engine over a store in a scratch directory, with books instead of kernels. */
export async function bed({
  remote = {},
  local = {},
  storage = memoryStorage(),
  applier = hashingApplier,
  plugins = [],
  ...options
}: BedOptions = {}) {
  const directory = await mkdtemp(join(tmpdir(), "ramekin-engine-"));
  const isolation = fakeIsolation();
  const registry = fakeRegistry(remote);
  const warnings: string[] = [];
  const doubles: Plugin = {
    name: "doubles",
    provides: {
      storage: { memory: { create: () => storage } },
      isolation: { fake: { create: () => isolation } },
      registry: { fake: { create: () => registry } },
      applier: { hashing: { create: () => applier } },
    },
  };
  const open = (): Promise<Engine> =>
    createEngine([contentLayout(), codecNode(), transportOci(), none(), host(), jsonFile(), doubles, ...plugins], {
      root: join(directory, "root"),
      runRoot: join(directory, "run"),
      environment: {},
      onWarning: (message) => warnings.push(message),
      ...options,
    });
  const engine = await open();
  try {
    if (Object.keys(local).length > 0) await engine.load(await writeLayout(join(directory, "layout"), local));
  } catch (error) {
    await engine[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
  return {
    directory,
    engine,
    isolation,
    registry,
    storage,
    warnings,
    /** Another engine over the same store, as the next process would make it. */
    open,
    async [Symbol.asyncDispose]() {
      await engine[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true, maxRetries: 5 }); // what removes itself may still be at it
    },
  };
}

export async function expectError(promise: Promise<unknown>, code: ErrorCode, text: string | RegExp = ""): Promise<void> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error, "should have been rejected").toBeDefined();
  expect(isRamekinError(error, code), `${String(error)} should be ${code}`).toBe(true);
  expect((error as Error).message).toMatch(text);
}

export async function textOf(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}
