import { Objections } from "@ramekin/core";
import { UsageError } from "../argv/status-error.ts";
import type { Context } from "../context.ts";
import { defined } from "../values/defined.ts";
import { forEachContainer } from "./for-each.ts";
import { changedLimits, type DeviceLimitFlagValues, type LimitFlagValues } from "./resources.ts";
import { parseRestartPolicy } from "./supervision.ts";

export interface UpdateFlags extends LimitFlagValues, DeviceLimitFlagValues {
  readonly restart: string | undefined;
}

/** `ramekin update`: a value of 0 changes nothing, as in Docker. */
export async function updateContainers(flags: UpdateFlags, names: readonly string[], context: Context): Promise<number> {
  if (Object.values(flags).every((value) => value === undefined || (Array.isArray(value) && value.length === 0)))
    throw new UsageError("you must provide one or more flags when using this command", { status: 1 });
  const objections = new Objections();
  const changes = defined({
    ...changedLimits(flags, objections),
    restartPolicy: flags.restart === undefined ? undefined : objections.hear(() => parseRestartPolicy(flags.restart as string)),
  });
  objections.raise();
  return await forEachContainer(context, names, (container) => container.update(changes));
}
