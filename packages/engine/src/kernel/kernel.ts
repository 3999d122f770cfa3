import { mkdirSync } from "node:fs";
import { join } from "node:path";
import {
  type Extensions,
  isRamekinError,
  type Kind,
  type Plugin,
  type PluginContext,
  RamekinError,
  type Selector,
  type Support,
} from "@ramekin/core";
import { type Registered, type Registry, registry } from "./registry.ts";
import { type Preference, type Selection, select, supported } from "./select.ts";
import { type Slot, slot, waiting } from "./slots.ts";

export interface KernelOptions {
  readonly root: string;
  readonly runRoot: string;
  readonly signal: AbortSignal;
  warn(message: string): void;
  preference(kind: Kind): Promise<Preference | undefined>;
}

/** Selects, creates lazily and once, disposes in reverse. It knows no driver and no use case. */
export interface Kernel extends AsyncDisposable {
  readonly plugins: readonly Plugin[];
  readonly registry: Registry;
  use<K extends Kind>(kind: K, which?: Selector<K> | string): Promise<Extensions[K]>;
  useAll<K extends Kind>(kind: K): Promise<ReadonlyMap<string, Extensions[K]>>;
  /** Which one `use` would give, without making it. */
  choose<K extends Kind>(kind: K, which?: Selector<K> | string): Promise<Registered<K>>;
  /** What flag, environment or configuration say. */
  preference(kind: Kind): Promise<Preference | undefined>;
  /** Never rejects: a probe that throws says no. */
  probe(candidate: Registered): Promise<Support>;
}

interface Entry {
  readonly slot: Slot;
  probe?: Promise<Support>;
  instance?: Promise<unknown>;
}

export function createKernel(plugins: readonly Plugin[], options: KernelOptions): Kernel {
  const known = registry(plugins);
  const entries = new Map<Registered, Entry>();
  const created: { readonly label: string; readonly instance: Partial<AsyncDisposable> }[] = [];
  const made = new Set<string>();
  let closed = false;

  const entryOf = (candidate: Registered): Entry => {
    const before = entries.get(candidate);
    if (before) return before;
    const entry = { slot: slot(`${candidate.kind} ${candidate.name}`) };
    entries.set(candidate, entry);
    return entry;
  };
  const selectionFor = (asker?: Slot): Selection => ({
    registry: known,
    preference: options.preference,
    probe: (candidate) => probe(candidate, asker),
  });
  const selector = <K extends Kind>(which?: Selector<K> | string): Selector<K> =>
    typeof which === "string" ? { name: which } : (which ?? {});

  function probe(candidate: Registered, asker?: Slot): Promise<Support> {
    const entry = entryOf(candidate);
    const ask = async (): Promise<Support> => {
      if (!candidate.provider.probe) return { ok: true };
      try {
        return await candidate.provider.probe(contextFor(candidate, entry.slot, false));
      } catch (error) {
        if (isRamekinError(error, "FAILED_PRECONDITION") && error.message.startsWith("plugins wait")) throw error;
        return {
          ok: false,
          reason: error instanceof Error ? error.message : String(error),
          ...(isRamekinError(error) && error.hint !== undefined && { hint: error.hint }),
        };
      }
    };
    return waiting(asker, entry.slot, () => (entry.probe ??= ask()));
  }

  function instantiate(candidate: Registered, asker?: Slot): Promise<unknown> {
    const entry = entryOf(candidate);
    const create = async () => {
      const instance = await candidate.provider.create(contextFor(candidate, entry.slot, true));
      if (closed) {
        await instance[Symbol.asyncDispose]?.();
        throw new RamekinError("CANCELLED", `the engine was closed while ${entry.slot.label} was being made`);
      }
      created.push({ label: entry.slot.label, instance });
      entry.slot.settled = true;
      return instance;
    };
    return waiting(asker, entry.slot, () => {
      entry.instance ??= create().catch((error: unknown) => {
        delete entry.instance; // what has failed may be put right: the next caller tries again
        throw error;
      });
      return entry.instance;
    });
  }

  async function use<K extends Kind>(kind: K, which: Selector<K> | string | undefined, asker?: Slot): Promise<Extensions[K]> {
    if (closed) throw new RamekinError("FAILED_PRECONDITION", `the engine is closed: ${kind} is not to be had any more`);
    return (await instantiate(await select(kind, selector(which), selectionFor(asker)), asker)) as Extensions[K];
  }

  async function useAll<K extends Kind>(kind: K, asker?: Slot): Promise<ReadonlyMap<string, Extensions[K]>> {
    const working = await supported(known.of(kind), selectionFor(asker));
    const instances = await Promise.all(
      working.map((candidate) =>
        instantiate(candidate, asker).then(
          (instance) => [candidate.name, instance as Extensions[K]] as const,
          (error: unknown) => {
            options.warn(`${kind} driver ${candidate.name} was left out: ${error instanceof Error ? error.message : error}`);
          },
        ),
      ),
    );
    return new Map(instances.filter((pair) => pair !== undefined));
  }

  function contextFor({ kind, name, package: owner }: Registered, asker: Slot, mayWrite: boolean): PluginContext {
    const at = directories(kind, name, owner);
    const directory = (base: string) => {
      const path = join(base, at);
      // Made when a driver asks for it, so that those that keep nothing leave no empty directories; a probe makes none.
      if (mayWrite && !made.has(path)) mkdirSync(path, { recursive: true, mode: 0o700 });
      if (mayWrite) made.add(path);
      return path;
    };
    return {
      get root() {
        return directory(options.root);
      },
      get runRoot() {
        return directory(options.runRoot);
      },
      signal: options.signal,
      warn: (message) => options.warn(`${name}: ${message}`),
      use: (wanted, which) => use(wanted, which, asker),
      useAll: (wanted) => useAll(wanted, asker),
    };
  }

  return {
    plugins,
    registry: known,
    use: (kind, which) => use(kind, which),
    useAll: (kind) => useAll(kind),
    preference: options.preference,
    choose: (kind, which) => select(kind, selector(which), selectionFor()),
    probe: (candidate) => probe(candidate),
    async [Symbol.asyncDispose]() {
      closed = true;
      await Promise.allSettled([...entries.values()].map(({ instance }) => instance));
      for (const { label, instance } of created.splice(0).reverse()) {
        try {
          await instance[Symbol.asyncDispose]?.();
        } catch (error) {
          options.warn(`${label} did not close: ${error instanceof Error ? error.message : error}`);
        }
      }
    },
  };
}

/** Where a driver keeps its things below root and run root: ARCHITECTURE.md, "On disk". */
function directories(kind: Kind, name: string, owner: string): string {
  if (kind === "content") return "images";
  if (kind === "storage") return join("storage", name);
  if (kind === "isolation" || kind === "log") return "containers";
  return join("plugins", owner.replaceAll("/", "+"));
}
