import { UsageError } from "../argv/status-error.ts";
import type { Context } from "../context.ts";
import { parseLabels } from "../values/key-value.ts";

export interface CreateVolumeFlags {
  readonly driver: string;
  readonly label: readonly string[];
  readonly name: string | undefined;
  readonly opt: readonly string[];
}

/** `ramekin volume create`. */
export async function createVolume(flags: CreateVolumeFlags, argument: string | undefined, context: Context): Promise<number> {
  if (argument !== undefined && flags.name !== undefined)
    throw new UsageError("conflicting options: cannot specify a volume-name through both --name and as a positional arg", { status: 1 });
  const name = argument ?? flags.name;
  const engine = await context.engine();
  const volume = await engine.volumes.create({
    ...(name !== undefined && name !== "" && { name }),
    driver: flags.driver,
    labels: parseLabels(flags.label),
    driverOptions: parseLabels(flags.opt),
  });
  context.print(volume.name);
  return 0;
}
