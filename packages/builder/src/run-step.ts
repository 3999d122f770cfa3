import { type BuildLayer, type BuildMount, type Digest, RamekinError, type Stack } from "@ramekin/core";
import type { RunStep, StepMount } from "@ramekin/dockerfile";
import type { BuildOptions } from "./build-options.ts";
import { cacheKey } from "./cache-key.ts";
import type { Workbench } from "./workbench.ts";

type Asked = Pick<BuildOptions, "network" | "secrets" | "args">;

/** The inputs of a RUN. A secret's value is none: whoever changes it wants no other layer (BuildKit's rule). */
export function runKey(before: Digest, step: RunStep): Digest {
  const { arguments: args, script, environment, directory, user, network, security, mounts } = step;
  const known = mounts.map(({ origin: _, ...mount }) => mount);
  return cacheKey("run", before, { args, script, environment, directory, user, network, security, mounts: known });
}

/** Runs it in a container on the stack; FAILED_PRECONDITION, in BuildKit's words, when it ends with another status than 0. */
export async function runStep(
  bench: Workbench,
  number: number,
  stack: Stack,
  step: RunStep,
  asked: Asked,
): Promise<BuildLayer | undefined> {
  if (step.security === "insecure") throw notYet("RUN --security=insecure");
  if (step.devices.length > 0) throw notYet("RUN --device");
  const { network = "default", secrets = {}, args = {} } = asked;
  const mounts = step.mounts.flatMap((mount) => mountOf(mount, secrets));
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

function mountOf(mount: StepMount, secrets: Readonly<Record<string, Uint8Array>>): readonly BuildMount[] {
  const { type, destination, mode, uid = 0, gid = 0, required } = mount;
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
