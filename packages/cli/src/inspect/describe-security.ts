import type { ContainerOptions } from "@ramekin/engine";
import { defaultMaskedPaths, defaultReadonlyPaths } from "@ramekin/oci";

/** What Docker's HostConfig says about privileges, in its names. */
export function describeSecurity(options: Omit<ContainerOptions, "signal" | "onProgress">): object {
  const { capAdd, capDrop, privileged = false, mask = [], unmask = [] } = options;
  const shown = (defaults: readonly string[]) =>
    privileged || unmask.some((path) => path.toUpperCase() === "ALL") ? [] : defaults.filter((path) => !unmask.includes(path));
  return {
    CapAdd: names(capAdd),
    CapDrop: names(capDrop),
    Privileged: privileged,
    SecurityOpt: securityOpt(options),
    MaskedPaths: [...shown(defaultMaskedPaths), ...mask],
    ReadonlyPaths: shown(defaultReadonlyPaths),
  };
}

/** As Docker keeps them: in capitals and whole. */
function names(capabilities: readonly string[] | undefined): readonly string[] | null {
  const whole = (name: string) => (name === "ALL" || name.startsWith("CAP_") ? name : `CAP_${name}`);
  return capabilities?.map((name) => whole(name.toUpperCase())) ?? null;
}

type Choices = Pick<ContainerOptions, "noNewPrivileges" | "seccomp" | "apparmor" | "writableCgroups">;

function securityOpt({ noNewPrivileges, seccomp, apparmor, writableCgroups }: Choices): readonly string[] | null {
  const all = [
    ...(noNewPrivileges ? ["no-new-privileges"] : []),
    ...(seccomp ? [`seccomp=${seccomp === "unconfined" ? seccomp : JSON.stringify(seccomp)}`] : []),
    ...(apparmor ? [`apparmor=${apparmor}`] : []),
    ...(writableCgroups === undefined ? [] : [`writable-cgroups=${writableCgroups}`]),
  ];
  return all.length > 0 ? all : null;
}
