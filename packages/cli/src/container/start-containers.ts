import { isStatusError, StatusError, UsageError } from "../argv/status-error.ts";
import type { Context } from "../context.ts";
import { exitStatus } from "../exit-status.ts";
import { defaultDetachKeys, parseDetachKeys } from "../values/detach-keys.ts";
import type { FlagValues } from "../verb.ts";
import { refuseWhatDoesNotRead } from "./attach-container.ts";
import { forEachContainer } from "./for-each.ts";
import { awaitReadiness, readReadiness } from "./readiness.ts";
import { runAttached } from "./run-attached.ts";
import { runs, selectContainers } from "./select-containers.ts";
import { checkInputDevice } from "./streams.ts";
import type { readinessFlags } from "./supervision-flags.ts";

export interface StartFlags extends FlagValues<typeof readinessFlags> {
  readonly attach: boolean;
  readonly "detach-keys": string | undefined;
  readonly interactive: boolean;
  readonly all: boolean;
  readonly filter: readonly string[];
  readonly latest: boolean;
  readonly "sig-proxy": boolean;
}

/** `ramekin start`. */
export async function startContainers(flags: StartFlags, given: readonly string[], context: Context): Promise<number> {
  const { signal } = context.interruption;
  const names = await selectContainers({ ...flags, cidfile: [] }, given, context, (container) => !runs(container));
  const wanted = readReadiness(flags);
  if (wanted !== undefined && (flags.attach || flags.interactive)) throw new UsageError("--wait is for what runs in the background");
  if (!flags.attach && !flags.interactive) {
    let status: number = exitStatus.ok;
    const failure = await forEachContainer(context, names, async (container) => {
      await container.start({ signal });
      if (wanted === undefined) return;
      try {
        status ||= await awaitReadiness(context, container, wanted);
      } catch (error) {
        if (isStatusError(error)) status ||= error.status;
        throw error;
      }
    });
    return status || failure;
  }

  if (names.length > 1) throw new StatusError("you cannot start and attach multiple containers at once", exitStatus.failure);
  const detachKeys = parseDetachKeys(flags["detach-keys"] ?? defaultDetachKeys);
  const engine = await context.engine();
  const container = await engine.container(names[0] as string);
  const { status, config } = await container.inspect();
  refuseWhatDoesNotRead(status, container.name); // one that runs is attached to, as Docker does
  const { tty = false, stdin = "closed" } = config.options;
  const withStdin = flags.interactive && stdin !== "closed";
  checkInputDevice(context, withStdin, tty);
  // Docker proxies signals only where the terminal does not carry the keys for them
  return await runAttached(context, container, {
    stdin: withStdin,
    stdout: true,
    stderr: true,
    tty,
    proxySignals: flags["sig-proxy"] || !tty,
    detachKeys,
  });
}
