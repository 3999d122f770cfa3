import { StatusError, UsageError } from "../argv/status-error.ts";
import type { Context } from "../context.ts";
import { exitStatus } from "../exit-status.ts";
import { latestContainer } from "./select-containers.ts";

/** `ramekin port`. The networks that there are, none and the host's, publish no port: who asks for one is told so. */
export async function showPorts(
  { all, latest }: { readonly all: boolean; readonly latest: boolean },
  given: readonly string[],
  context: Context,
): Promise<number> {
  const engine = await context.engine();
  if (all && (latest || given.length > 0))
    throw new UsageError("conflicting options: --all, and --latest or a name", { hint: "one way of saying which containers" });
  if (all) return exitStatus.ok;
  const [name, port] = latest ? [await latestContainer(context), ...given] : given;
  if (name === undefined) throw new UsageError("'ramekin port' requires at least 1 argument", { status: 1 });
  await (await engine.container(name)).inspect();
  if (port === undefined) return exitStatus.ok;
  const [number = ""] = port.split("/");
  if (!/^\d+$/.test(number) || Number(number) > 65_535) throw new StatusError(`invalid port (${number})`, exitStatus.failure);
  throw new StatusError(`no public port '${port}' published for ${name}`, exitStatus.failure);
}
