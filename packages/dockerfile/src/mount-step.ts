import { cleanPath } from "./glob.ts";
import type { RunMount } from "./mount.ts";
import { lastName } from "./path.ts";
import { Complaint } from "./problem.ts";
import type { Origin } from "./stage-graph.ts";
import type { StepMount } from "./step.ts";

/** A mount with its defaults: ids from paths, places from ids, all of them absolute. */
export function resolveMount(mount: RunMount, origin: Origin | undefined, directory: string): StepMount {
  const { type, source = "", target = "" } = mount;
  if (type === "secret") {
    const id = source || mount.id || lastName(target);
    const destination = target || (mount.env === undefined ? `/run/secrets/${lastName(id)}` : undefined);
    return { ...mount, id, ...(destination !== undefined && { destination }) };
  }
  if (type === "ssh") return { ...mount, id: mount.id || "default", ...(target !== "" && { destination: target }) };
  const destination = cleanPath(`/${target.startsWith("/") ? target : `${directory}/${target}`}`);
  if (destination === "/")
    throw new Complaint(`invalid mount target ${JSON.stringify(destination)}`, { hint: "name a directory with target=" });
  return { ...mount, ...(type === "cache" && { id: mount.id || cleanPath(target) }), ...(origin && { origin }), destination };
}
