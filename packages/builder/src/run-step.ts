import { type BuildFiles, type BuildLayer, type BuildMount, type Digest, RamekinError, type Stack } from "@ramekin/core";
import type { Origin, RunStep, StepMount } from "@ramekin/dockerfile";
import type { BuildOptions } from "./build-options.ts";
import { cacheKey } from "./cache-key.ts";
import { contentDigest } from "./content-digest.ts";
import type { Context } from "./context.ts";
import type { Foreign } from "./source.ts";
import { tarOf } from "./tree-entry.ts";
import type { Workbench } from "./workbench.ts";

type Asked = Pick<BuildOptions, "network" | "secrets" | "args">;

/** The inputs of a RUN. A secret's value is none: whoever changes it wants no other layer (BuildKit's rule). */
export function runKey(before: Digest, step: RunStep, binds: Binds): Digest {
  const { arguments: args, script, environment, directory, user, network, security, mounts } = step;
  const known = mounts.map(({ origin: _, ...mount }, index) => ({ ...mount, files: binds.get(index)?.key }));
  return cacheKey("run", before, { args, script, environment, directory, user, network, security, mounts: known });
}

/** Where the mounts of `type=bind` take files from, by their place among the mounts. */
export type Binds = ReadonlyMap<number, Foreign & { readonly source: string }>;

/** Of the build context what is asked for, without what .dockerignore leaves out, as a stack of one layer. */
export async function findBinds(
  bench: Workbench,
  step: RunStep,
  context: () => Promise<Context>,
  foreign: (origin: Origin) => Promise<Foreign>,
): Promise<Binds> {
  const binds = new Map<number, Foreign & { readonly source: string }>();
  for (const [index, { type, origin, source = "/" }] of step.mounts.entries()) {
    if (type !== "bind") continue;
    if (origin) binds.set(index, { ...(await foreign(origin)), source });
    else binds.set(index, await contextStack(bench, await context(), source));
  }
  return binds;
}

async function contextStack(bench: Workbench, context: Context, source: string): Promise<Foreign & { readonly source: string }> {
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
  { binds, ...asked }: Asked & { readonly binds: Binds },
): Promise<BuildLayer | undefined> {
  if (step.security === "insecure") throw notYet("RUN --security=insecure");
  if (step.devices.length > 0) throw notYet("RUN --device");
  const { network = "default", secrets = {}, args = {} } = asked;
  const mounts = step.mounts.flatMap((mount, index) => mountOf(mount, secrets, binds.get(index)));
  const { script } = step;
  if (script)
    mounts.push({ type: "secret", target: `/dev/pipes/${script.name}`, value: Buffer.from(script.content), mode: 0o755, uid: 0, gid: 0 });
  const { code, layer } = await bench.session.run(
    stack,
    {
      args: step.arguments,
      env: [...proxiesIn(args), ...step.environment],
      workdir: step.directory,
      ...(step.user !== "" && { user: step.user }),
      network: (step.network === "default" ? network : step.network) === "none" ? "none" : "host",
      mounts,
      onOutput: (stream, bytes) => bench.tell({ type: "output", step: number, stream, bytes }),
    },
    { signal: bench.signal },
  );
  if (code === 0) return layer;
  const line = JSON.stringify(step.arguments.join(" "));
  throw new RamekinError("FAILED_PRECONDITION", `process ${line} did not complete successfully: exit code: ${code}`);
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
    if (mount.origin) throw notYet("RUN --mount=type=cache,from=");
    const { sharing = "shared", readonly: readOnly } = mount;
    return [{ type, target: destination, id: mount.id ?? destination, sharing, readOnly, mode: mode ?? 0o755, uid, gid }];
  }
  if (type === "secret") {
    const id = mount.id ?? "";
    const value = Object.hasOwn(secrets, id) ? secrets[id] : undefined;
    if (!value && required) throw new RamekinError("NOT_FOUND", `secret ${id}: not found`, { hint: `--secret id=${id},src=FILE` });
    if (!value) return [];
    if (mount.env !== undefined || destination === undefined) throw notYet("RUN --mount=type=secret,env=");
    return [{ type, target: destination, value, mode: mode ?? 0o400, uid, gid }];
  }
  throw notYet(`RUN --mount=type=${type}`);
}

export const notYet = (what: string): RamekinError => new RamekinError("UNSUPPORTED", `${what} is not there yet`);
