import { type NetworkDriver, RamekinError } from "@ramekin/core";
import type { Scope } from "./scope.ts";

/** Docker's `bridge` will be the default when it comes; until then nothing is reached, and nothing reaches in. */
const defaultNetwork = "none";

export interface ChosenNetwork {
  readonly name: string;
  readonly package: string;
  readonly driver: NetworkDriver;
  /** The id of the container whose network this is. */
  readonly partner?: string;
}

export async function chooseNetwork(scope: Scope, asked: string | undefined): Promise<ChosenNetwork> {
  const partner = /^container:(.+)$/.exec(asked ?? "")?.[1];
  if (asked !== undefined && partner !== undefined)
    return { name: asked, package: "@ramekin/engine", driver: { namespace: "private" }, partner };
  // What it reaches is somebody else's doing.
  if (asked?.startsWith("ns:")) return { name: asked, package: "@ramekin/engine", driver: { namespace: "private" } };
  const name = asked ?? (await scope.kernel.preference("network"))?.names[0] ?? defaultNetwork;
  const registered = scope.kernel.registry.find("network", name);
  if (!registered) throw missing(scope, name);
  const driver = await scope.kernel.use("network", name);
  if (driver.attach) {
    throw new RamekinError("UNSUPPORTED", `network ${name} connects containers to something, which this version cannot do yet`, {
      hint: "use --network none or --network host",
    });
  }
  return { name, package: registered.package, driver };
}

function missing(scope: Scope, name: string): RamekinError {
  const known = scope.kernel.registry.of("network").map((driver) => driver.name);
  const hint = `there are ${known.join(" and ")}: --network ${known[0] ?? defaultNetwork}`;
  if (name === "bridge" || name === "default")
    return new RamekinError("UNSUPPORTED", "bridge networks are not supported yet: there is no network driver bridge", { hint });
  if (/^(container|pasta|slirp4netns|macvlan|ipvlan)(:|$)/.test(name))
    return new RamekinError("UNSUPPORTED", `network ${name} is not supported yet: there is no driver for it`, { hint });
  return new RamekinError("NOT_FOUND", `network ${name} not found: no network driver has that name`, { hint });
}
