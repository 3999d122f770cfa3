import { isRamekinError } from "@ramekin/core";
import type { Container } from "@ramekin/engine";
import type { Context } from "../context.ts";
import { exitStatus } from "../exit-status.ts";
import { reportLines } from "../report.ts";

/**
 * Does one thing to each container, all at once, and prints each name as it was typed when it is done, in the order of
 * the command line. One that fails is reported and does not hold up the others.
 */
export async function forEachContainer(
  context: Context,
  names: readonly string[],
  action: (container: Container) => Promise<void>,
  { ignoreAbsent = false } = {},
): Promise<number> {
  const engine = await context.engine();
  return await forEachName(context, names, async (name) => {
    try {
      await action(await engine.container(name));
      return name;
    } catch (error) {
      if (ignoreAbsent && isRamekinError(error, "NOT_FOUND")) return undefined;
      throw error;
    }
  });
}

/** `action` resolves with the line to print, or undefined for none. */
export async function forEachName(
  context: Context,
  names: readonly string[],
  action: (name: string) => Promise<string | undefined>,
): Promise<number> {
  const results = await Promise.allSettled(names.map((name) => action(name)));
  let status: number = exitStatus.ok;
  for (const result of results) {
    if (result.status === "fulfilled") {
      if (result.value !== undefined) context.print(result.value);
    } else {
      for (const line of reportLines(result.reason, context.logLevel)) context.note(line);
      status = exitStatus.failure;
    }
  }
  return status;
}
