import { Objections, RamekinError } from "@ramekin/core";
import type { ContainerConfig, MountOptions } from "./api.ts";
import type { Scope } from "./scope.ts";
import { findSecret } from "./secret/verbs.ts";

/** The secrets of the store that are meant; one that is not there, or has no place to go, is refused. */
export async function planSecrets(scope: Scope, { secrets = [] }: MountOptions): Promise<NonNullable<ContainerConfig["secrets"]>> {
  const objections = new Objections();
  const found = await objections.all(
    ...secrets.map(async (use) => {
      const { id, name } = await findSecret(scope, use.secret);
      const target = use.target ?? name;
      if (use.type === "env" && !/^[^=\0]+$/.test(target))
        throw new RamekinError("INVALID_ARGUMENT", `secret ${name}: ${JSON.stringify(target)} is no name of a variable`);
      if (use.type === "mount" && target.split("/").some((part) => part === ".."))
        throw new RamekinError("INVALID_ARGUMENT", `secret ${name}: the target ${target} leads out of /run/secrets`, {
          hint: "give an absolute path",
        });
      return { id, name, use };
    }),
  );
  return found;
}
