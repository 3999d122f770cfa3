import { Objections } from "@ramekin/core";
import type { MountConfig, SpecOptions } from "@ramekin/oci";
import type { CdiEdits } from "./cdi.ts";
import type { ContainerOptions } from "./container-options.ts";
import type { NamespaceOptions } from "./namespace-options.ts";
import type { ProcessOptions } from "./process-options.ts";
import type { ResourceOptions } from "./resource-options.ts";
import type { Scope } from "./scope.ts";
import type { SecurityOptions } from "./security-options.ts";

export interface SandboxSpec extends Partial<SpecOptions> {
  /** The time zone's file. */
  readonly zone?: MountConfig;
  /** What a vendor's files add for a device. */
  readonly vendor?: Pick<CdiEdits, "env" | "hooks" | "groups">;
  /** Before the user's own, and not where one of those is. */
  readonly extraMounts?: readonly MountConfig[];
}

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
  gpus: true,
};

const ofSecurity: Kinds<SecurityOptions> = {
  capAdd: true,
  capDrop: true,
  privileged: true,
  noNewPrivileges: true,
  seccomp: true,
  apparmor: true,
  mask: true,
  unmask: true,
  writableCgroups: true,
};

/** Without the user namespace: see `userns.ts`. */
export type SharedNamespaces = Pick<NamespaceOptions, "pid" | "ipc" | "uts" | "cgroupns">;
const ofNamespaces: Kinds<SharedNamespaces> = { pid: true, ipc: true, uts: true, cgroupns: true };

const ofProcess: Kinds<Omit<ProcessOptions, "groups" | "unsetEnv" | "unsetAllEnv" | "expose" | "pidFile">> = {
  umask: true,
  timezone: true,
  domainname: true,
  extraHosts: true,
  noHosts: true,
  dns: true,
  annotations: true,
  runtime: true,
};

/** What limits, privileges and namespaces ask of the specification; most containers ask for nothing, and load nothing for it. */
export async function planSandbox(scope: Scope, options: ContainerOptions, surroundings: SandboxSurroundings): Promise<SandboxSpec> {
  const asks = (kinds: object) => Object.keys(kinds).some((name) => options[name as keyof ContainerOptions] !== undefined);
  const objections = new Objections();
  const parts = await objections.all<SandboxSpec[]>(
    asks(ofResources)
      ? import("./plan-resources.ts").then(({ planResources }) => planResources(options, { ...surroundings, objections, warn: scope.warn }))
      : {},
    asks(ofNamespaces) || /^(?:container|ns):/.test(options.network ?? "")
      ? import("./namespaces.ts").then(({ planNamespaces }) => planNamespaces(options, { objections }))
      : {},
    asks(ofProcess) ? import("./plan-process.ts").then(({ planProcess }) => planProcess(options, { objections })) : {},
    asks(ofSecurity) ? import("./plan-security.ts").then(({ planSecurity }) => planSecurity(options, { ...surroundings, objections })) : {},
  );
  const extraMounts = parts.flatMap((part) => part.extraMounts ?? []);
  return { ...(Object.assign({}, ...parts) as SandboxSpec), ...(extraMounts.length > 0 && { extraMounts }) };
}
