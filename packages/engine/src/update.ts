import { type Cancellable, Objections, RamekinError, type Resources } from "@ramekin/core";
import type { RuntimeConfig } from "@ramekin/oci";
import type { ContainerConfig, ContainerOptions, UpdateOptions } from "./api.ts";
import { checkLimits } from "./cgroup.ts";
import { tell } from "./container-event.ts";
import { findControllers } from "./controllers.ts";
import { planLimits } from "./resources.ts";
import type { Scope } from "./scope.ts";
import { specText } from "./spec.ts";
import { currentState, isLive, readConfig } from "./store/containers.ts";
import { readJsonIfThere, replaceFile } from "./store/files.ts";
import { lockFile } from "./store/lock.ts";

/** See `Container.update`. The kernel first: what it refuses is nowhere recorded. */
export async function update(
  scope: Scope,
  { id }: Pick<ContainerConfig, "id">,
  changes: UpdateOptions,
  options: Cancellable = {},
): Promise<void> {
  const paths = scope.paths.container(id);
  await using _lock = await lockFile(paths.lock, { exclusive: true, signal: options.signal });
  const config = await readConfig(scope.paths, id);
  const { status } = await currentState(scope, config);
  if (status === "removing" || status === "dead")
    throw new RamekinError("FAILED_PRECONDITION", `container ${config.name} is being removed and cannot be updated`);

  const limits = await planUpdate(scope, config, changes);
  if (isLive(status)) {
    const isolation = await scope.kernel.use("isolation", config.isolation.driver);
    if (limits && status !== "restarting") {
      if (!isolation.update) throw unsupported(config, "limits");
      await isolation.update(id, limits);
    }
    if (changes.restartPolicy) {
      if (!isolation.supervise) throw unsupported(config, "the restart policy");
      await isolation.supervise(id, { restart: changes.restartPolicy });
    }
  }
  const spec = limits && (await readJsonIfThere<RuntimeConfig>(paths.spec));
  if (spec && limits) await replaceFile(paths.spec, specText(withLimits(spec, limits)));
  const durable = !config.options.autoRemove;
  await replaceFile(paths.config, `${JSON.stringify({ ...config, options: withChanges(config.options, changes) })}\n`, { durable });
  tell(scope, config, "update");
}

const unsupported = ({ isolation }: ContainerConfig, what: string) =>
  new RamekinError("UNSUPPORTED", `isolation ${isolation.driver} cannot change ${what} of a running container`, { hint: "stop it first" });

/** What is contradictory in itself, or to what the container has already, as Docker sees it (container_unix.go). */
async function planUpdate(scope: Scope, { options, name }: ContainerConfig, changes: UpdateOptions): Promise<Resources | undefined> {
  const objections = new Objections();
  const object = (message: string, hint?: string) => objections.add("INVALID_ARGUMENT", `container ${name}: ${message}`, hint);
  const { cpu = {}, memory = {} } = changes.resources ?? {};
  const had = options.resources ?? {};
  if (changes.cpus && (had.cpu?.period || had.cpu?.quota)) object("a number of CPUs excludes the CPU period or quota that it has");
  if (options.cpus && (cpu.period || cpu.quota)) object("a CPU period or quota excludes the number of CPUs that it has");
  const swap = had.memory?.swap ?? 0;
  if (memory.limit && !memory.swap && swap > 0 && memory.limit > swap)
    object(`the limit of memory is more than that of memory and swap (${swap})`, "update --memory-swap at the same time");
  if (changes.restartPolicy && changes.restartPolicy.name !== "no" && options.autoRemove)
    object("its restart policy cannot be changed: it is removed when it ends");
  const parent = `/${options.cgroupParent ?? "ramekin"}`;
  const limits = await planLimits(
    // Where swap is counted alone, its limit is the difference of both.
    memory.swap && !memory.limit && had.memory?.limit
      ? { ...changes, resources: { ...changes.resources, memory: { ...memory, limit: had.memory.limit } } }
      : changes,
    { controllers: await findControllers(), objections, warn: scope.warn, parent, update: true },
  );
  await objections.await(checkLimits(limits, process.geteuid?.() !== 0));
  objections.raise();
  return limits;
}

function withLimits(spec: RuntimeConfig, limits: Resources): RuntimeConfig {
  return { ...spec, linux: { ...spec.linux, resources: merged(spec.linux.resources ?? {}, limits) } };
}

function withChanges(options: ContainerConfig["options"], { resources, cpus, blockIO, restartPolicy }: UpdateOptions): object {
  const { restartPolicy: before, ...rest } = options;
  const policy: ContainerOptions["restartPolicy"] = restartPolicy ?? before;
  return {
    ...rest,
    ...(resources && { resources: merged(options.resources ?? {}, resources) }),
    ...(cpus && { cpus }),
    ...(blockIO && { blockIO: { ...options.blockIO, ...blockIO } }),
    ...(policy && policy.name !== "no" && { restartPolicy: policy }),
  };
}

/** What is not named stays. */
function merged<T extends Resources>(old: T, changes: Resources): T {
  const part = (name: "cpu" | "memory" | "blockIO") => (changes[name] ? { [name]: { ...old[name], ...changes[name] } } : {});
  return { ...old, ...part("cpu"), ...part("memory"), ...part("blockIO"), ...(changes.pids && { pids: changes.pids }) };
}
