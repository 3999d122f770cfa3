import { Objections } from "@ramekin/core";
import type { SpecOptions } from "@ramekin/oci";
import type { ContainerOptions } from "./container-options.ts";
import type { ResourceOptions } from "./resource-options.ts";
import type { Scope } from "./scope.ts";

export type SandboxSpec = Partial<SpecOptions>;

export interface SandboxSurroundings {
  readonly rootless: boolean;
}

type Kinds<T> = { readonly [K in keyof T]-?: true };
const ofResources: Kinds<ResourceOptions> = {
  resources: true,
  cpus: true,
  blockIO: true,
  oomScoreAdj: true,
  ulimits: true,
  shmSize: true,
  sysctls: true,
  cgroupParent: true,
  devices: true,
  deviceRules: true,
};

/** What limits, privileges and namespaces ask of the specification; most containers ask for nothing, and load nothing for it. */
export async function planSandbox(scope: Scope, options: ContainerOptions, surroundings: SandboxSurroundings): Promise<SandboxSpec> {
  const asks = (kinds: object) => Object.keys(kinds).some((name) => options[name as keyof ContainerOptions] !== undefined);
  const objections = new Objections();
  const parts = await objections.all<SandboxSpec[]>(
    asks(ofResources)
      ? import("./plan-resources.ts").then(({ planResources }) => planResources(options, { ...surroundings, objections, warn: scope.warn }))
      : {},
  );
  return Object.assign({}, ...parts) as SandboxSpec;
}
