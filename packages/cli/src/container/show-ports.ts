import { StatusError } from "../argv/status-error.ts";
import type { Context } from "../context.ts";
import { exitStatus } from "../exit-status.ts";

/** `ramekin port`. The networks that there are, none and the host's, publish no port: who asks for one is told so. */
export async function showPorts(name: string, port: string | undefined, context: Context): Promise<number> {
  const engine = await context.engine();
  await (await engine.container(name)).inspect();
  if (port === undefined) return exitStatus.ok;
  const [number = ""] = port.split("/");
  if (!/^\d+$/.test(number) || Number(number) > 65_535) throw new StatusError(`invalid port (${number})`, exitStatus.failure);
  throw new StatusError(`no public port '${port}' published for ${name}`, exitStatus.failure);
}
