import { UsageError } from "../argv/status-error.ts";
import type { Context } from "../context.ts";
import { exitStatus } from "../exit-status.ts";
import { serverName } from "./server-name.ts";

/** `ramekin logout`. Not having been logged in is no failure, as in Docker. */
export async function logOut(
  { all, authfile: authFile }: { readonly all: boolean; readonly authfile: string | undefined },
  server: string | undefined,
  context: Context,
): Promise<number> {
  if (all && server !== undefined) throw new UsageError("--all is about every registry: name none", { status: exitStatus.failure });
  const registry = all ? undefined : serverName(server);
  const engine = await context.engine();
  const any = await engine.logout(registry, { authFile });
  if (registry === undefined) context.print("Removed login credentials for all registries");
  else context.print(any ? `Removing login credentials for ${registry}` : `Not logged in to ${registry}`);
  return exitStatus.ok;
}
