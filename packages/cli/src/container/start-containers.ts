import { StatusError } from "../argv/status-error.ts";
import type { Context } from "../context.ts";
import { exitStatus } from "../exit-status.ts";
import { defaultDetachKeys, parseDetachKeys } from "../values/detach-keys.ts";
import { forEachContainer } from "./for-each.ts";
import { runAttached } from "./run-attached.ts";
import { checkInputDevice } from "./streams.ts";

export interface StartFlags {
  readonly attach: boolean;
  readonly "detach-keys": string | undefined;
  readonly interactive: boolean;
}

/** `ramekin start`. */
export async function startContainers(flags: StartFlags, names: readonly string[], context: Context): Promise<number> {
  const { signal } = context.interruption;
  if (!flags.attach && !flags.interactive) return await forEachContainer(context, names, (container) => container.start({ signal }));

  if (names.length > 1) throw new StatusError("you cannot start and attach multiple containers at once", exitStatus.failure);
  const detachKeys = parseDetachKeys(flags["detach-keys"] ?? defaultDetachKeys);
  const engine = await context.engine();
  const container = await engine.container(names[0] as string);
  const { status, config } = await container.inspect();
  if (status === "running" || status === "paused") {
    throw new StatusError(`container ${container.name} runs already`, exitStatus.failure, `ramekin attach ${container.name}`);
  }
  const { tty = false, stdin = "closed" } = config.options;
  const withStdin = flags.interactive && stdin !== "closed";
  checkInputDevice(context, withStdin, tty);
  // Docker proxies signals only where the terminal does not carry the keys for them
  return await runAttached(context, container, { stdin: withStdin, stdout: true, stderr: true, tty, proxySignals: !tty, detachKeys });
}
