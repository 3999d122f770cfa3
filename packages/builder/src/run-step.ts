import { type BuildFiles, type BuildLayer, type BuildMount, type Digest, RamekinError, type Stack } from "@ramekin/core";
import type { Origin, RunStep, StepMount } from "@ramekin/dockerfile";
import { agentMount, agentVariable } from "./agent-mount.ts";
import type { BuildOptions } from "./build-options.ts";
import { cacheKey } from "./cache-key.ts";
import { contentDigest } from "./content-digest.ts";
import type { Context } from "./context.ts";
import { type Foreign, isStack, type Supply } from "./source.ts";
import type { Failure } from "./stage.ts";
import { tarOf } from "./tree-entry.ts";
import type { Workbench } from "./workbench.ts";

type Asked = Pick<BuildOptions, "platform" | "network" | "secrets" | "args" | "agents" | "entitlements">;

/** The inputs of a RUN. A secret's value is none: whoever changes it wants no other layer (BuildKit's rule). */
export function runKey(before: Digest, step: RunStep, binds: Binds): Digest {
  const { arguments: args, script, environment, directory, user, network, security, mounts } = step;
  const known = mounts.map(({ origin: _, from: __, ...mount }, index) => ({ ...mount, files: binds.get(index)?.key }));
  return cacheKey("run", before, { args, script, environment, directory, user, network, security, mounts: known });
}

/** Where mounts of `type=bind` and `type=cache` take files from, by their place among the mounts. */
export type Binds = ReadonlyMap<number, Foreign & { readonly source: string }>;

/** Of the build context what is asked for, without what .dockerignore leaves out, as a stack of one layer. */
export async function findBinds(
  bench: Workbench,
  step: RunStep,
  context: () => Promise<Context>,
  foreign: (origin: Origin) => Promise<Supply>,
): Promise<Binds> {
  const binds = new Map<number, Foreign & { readonly source: string }>();
  for (const [index, { type, origin, source = "/" }] of step.mounts.entries()) {
    if (type !== "bind" && !(type === "cache" && origin)) continue;
    const supply = origin ? await foreign(origin) : await context();
    binds.set(index, isStack(supply) ? { stack: supply.stack, key: supply.key, source } : await contextStack(bench, supply, source));
  }
  return binds;
}

export async function contextStack(bench: Workbench, context: Context, source: string): Promise<Foreign & { readonly source: string }> {
  const { session, signal } = bench;
  const [found, more] = await context.find(source);
  if (!found || more) throw new RamekinError("NOT_FOUND", `${JSON.stringify(source)}: not found`, { hint: "is it in the build context?" });
  const key = cacheKey("files", undefined, [found.kind, await contentDigest(context.walk(found.path), { signal })]);
  const name = found.kind === "directory" ? "" : "file";
  async function* entries() {
    for await (const entry of context.walk(found?.path ?? ""))
      if (name !== "" || entry.name !== "") yield { ...entry, name: name || entry.name };
  }
  const fill = (files: BuildFiles) => files.unpack("/", tarOf(entries(), { signal }));
  const known = (await session.recall(key)) ?? (await session.remember(key, [], await session.change([], fill, { signal })));
  return { stack: known.layer ? [known.layer] : [], key, source: name };
}

/** Runs it in a container on the stack; FAILED_PRECONDITION, in BuildKit's words, when it ends with another status than 0. */
export async function runStep(
  bench: Workbench,
  number: number,
  stack: Stack,
  step: RunStep,
  { binds, failure, ...asked }: Asked & { readonly binds: Binds; readonly failure: Failure },
): Promise<BuildLayer | undefined> {
  checkEntitlements(step, asked.entitlements ?? []);
  const { network = "default", secrets = {}, args = {}, agents = {} } = asked;
  await using sockets = new AsyncDisposableStack();
  const mounts: BuildMount[] = [];
  for (const [index, mount] of step.mounts.entries()) {
    if (mount.type === "ssh") mounts.push(...(await agentMount(bench, mount, agents, index, sockets)));
    else mounts.push(...mountOf(mount, secrets, binds.get(index)));
  }
  const { script } = step;
  if (script)
    mounts.push({ type: "secret", target: `/dev/pipes/${script.name}`, value: Buffer.from(script.content), mode: 0o755, uid: 0, gid: 0 });
  const { code, layer } = await bench.session.run(
    stack,
    {
      args: step.arguments,
      env: [...proxiesIn(args), ...step.environment, ...agentVariable(step.mounts, mounts)],
      workdir: step.directory,
      ...(asked.platform && { platform: asked.platform }),
      ...(step.user !== "" && { user: step.user }),
      network: (step.network === "default" ? network : step.network) === "none" ? "none" : "host",
      mounts,
      ...(step.security === "insecure" && { insecure: true }),
      ...(step.devices.length > 0 && { devices: step.devices.map(({ name }) => name) }),
      onOutput: (stream, bytes) => bench.tell({ type: "output", step: number, stream, bytes }),
      onFailure: async (failed) => void (await failure.report(exitError(step, failed.code), { ...failed, args: step.arguments })),
    },
    { signal: bench.signal },
  );
  if (code === 0) return layer;
  throw exitError(step, code);
}

function exitError(step: RunStep, code: number): RamekinError {
  const line = JSON.stringify(step.arguments.join(" "));
  return new RamekinError("FAILED_PRECONDITION", `process ${line} did not complete successfully: exit code: ${code}`);
}

const proxyNames = /^(?:http|https|ftp|no|all)_proxy$/i;

/** Known to every RUN without an ARG; in no key and in no history (dockerfile reference, predefined ARGs). */
const proxiesIn = (args: Readonly<Record<string, string>>) =>
  Object.entries(args).flatMap(([name, value]) => (proxyNames.test(name) ? [`${name}=${value}`] : []));

function mountOf(
  mount: StepMount,
  secrets: Readonly<Record<string, Uint8Array>>,
  files: (Foreign & { readonly source: string }) | undefined,
): readonly BuildMount[] {
  const { type, destination, mode, uid = 0, gid = 0, required } = mount;
  if (type === "bind" && destination !== undefined && files)
    return [{ type, target: destination, stack: files.stack, source: files.source, readOnly: mount.readonly }];
  if (type === "tmpfs" && destination !== undefined)
    return [{ type, target: destination, ...(mount.size !== undefined && { size: mount.size }) }];
  if (type === "cache" && destination !== undefined) {
    const { sharing = "shared", readonly: readOnly, id = destination } = mount;
    const from = files && { from: { stack: files.stack, source: files.source } };
    return [{ type, target: destination, id, sharing, readOnly, mode: mode ?? 0o755, uid, gid, ...from }];
  }
  if (type === "secret") {
    const id = mount.id ?? "";
    const value = Object.hasOwn(secrets, id) ? secrets[id] : undefined;
    if (!value && required) throw new RamekinError("NOT_FOUND", `secret ${id}: not found`, { hint: `--secret id=${id},src=FILE` });
    if (!value) return [];
    const places = { ...(destination !== undefined && { target: destination }), ...(mount.env !== undefined && { env: mount.env }) };
    return [{ type, ...places, value, mode: mode ?? 0o400, uid, gid }];
  }
  throw new RamekinError("INTERNAL", `a mount of type ${type} without its place`);
}

/** BuildKit's words and rule: what is more than a container may do is allowed by whoever builds, not by whoever wrote the file. */
function checkEntitlements({ security, devices }: RunStep, entitlements: readonly string[]): void {
  if (security === "insecure" && !entitlements.includes("security.insecure")) {
    throw new RamekinError("PERMISSION_DENIED", "security.insecure is not allowed", { hint: "--allow security.insecure" });
  }
  for (const { name } of devices) {
    if (entitlements.includes("device") || entitlements.includes(`device=${name}`)) continue;
    throw new RamekinError("PERMISSION_DENIED", `the device ${name} is not allowed`, { hint: `--allow device=${name}` });
  }
}
