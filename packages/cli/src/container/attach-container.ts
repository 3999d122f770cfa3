import type { ContainerStatus } from "@ramekin/engine";
import { StatusError } from "../argv/status-error.ts";
import type { Context } from "../context.ts";
import { exitStatus } from "../exit-status.ts";
import { windowSize } from "../terminal/window.ts";
import { defaultDetachKeys, parseDetachKeys } from "../values/detach-keys.ts";
import { proxyTo, stay } from "./run-attached.ts";
import { checkInputDevice } from "./streams.ts";

export interface AttachFlags {
  readonly "detach-keys": string | undefined;
  readonly "no-stdin": boolean;
  readonly "sig-proxy": boolean;
}

/** `ramekin attach`. */
export async function attachContainer(flags: AttachFlags, name: string, context: Context): Promise<number> {
  const detachKeys = parseDetachKeys(flags["detach-keys"] ?? defaultDetachKeys);
  const engine = await context.engine();
  const container = await engine.container(name);
  const { status, config } = await container.inspect();
  refuseWhatDoesNotRead(status, name);
  if (status !== "running") {
    throw new StatusError("you cannot attach to a stopped container", exitStatus.failure, `start it first: ramekin start -a ${name}`);
  }
  const { tty = false, stdin: kind = "closed" } = config.options;
  const stdin = !flags["no-stdin"] && kind !== "closed";
  checkInputDevice(context, stdin, tty);

  context.interruption.release();
  using _signals = flags["sig-proxy"] && !tty ? proxyTo(context, container, tty) : undefined;
  const size = tty ? windowSize(context.stdout) : undefined;
  if (size !== undefined) {
    // a program that draws the screen draws it again only when the size changes
    await container.resize({ rows: size.rows + 1, columns: size.columns });
    await container.resize(size);
  }
  return await stay(context, container, { stdin, stdout: true, stderr: true, tty, proxySignals: false, detachKeys });
}

/** What stands still answers nobody; as Docker says it. */
export function refuseWhatDoesNotRead(status: ContainerStatus, name: string): void {
  if (status === "paused")
    throw new StatusError("you cannot attach to a paused container", exitStatus.failure, `unpause it first: ramekin unpause ${name}`);
  if (status === "restarting")
    throw new StatusError("you cannot attach to a restarting container, wait until it is running", exitStatus.failure);
}
