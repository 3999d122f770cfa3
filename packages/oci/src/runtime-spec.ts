import type { IdMapping } from "@ramekin/core";
import { capabilitySets, chooseCapabilities } from "./capabilities.ts";
import { defaultDevices, deviceMounts, deviceRules, type SpecDevice } from "./devices.ts";
import { defaultMaskedPaths, defaultMounts, defaultReadonlyPaths, mergeMounts } from "./mounts.ts";
import type {
  DeviceRule,
  LinuxResources,
  MountConfig,
  Namespace,
  NamespaceType,
  ProcessConfig,
  Propagation,
  Rlimit,
  RuntimeConfig,
  Seccomp,
} from "./runtime-config.ts";
import { resolveSeccomp, type SeccompProfile } from "./seccomp.ts";

/** What of a container's configuration is not Docker's default. */
export interface SpecOptions {
  readonly args: readonly string[];
  /** `NAME=value`; `defaultPath` when there is no PATH among them. */
  readonly env?: readonly string[];
  /** `/` when absent. */
  readonly cwd?: string;
  /** Root when absent. A user by *name* is the supervisor's to find: see `CreateOptions.user`. */
  readonly user?: ProcessConfig["user"];
  readonly terminal?: boolean;
  readonly consoleSize?: { readonly height: number; readonly width: number };
  readonly noNewPrivileges?: boolean;
  /** Inherited when absent. */
  readonly oomScoreAdj?: number;
  /** None unless asked for: the caller's hold, and to raise one takes CAP_SYS_RESOURCE, which not every root has. */
  readonly rlimits?: readonly Rlimit[];
  /** The bounding set, by name; Docker's fourteen when absent. `chooseCapabilities` makes one of adds and drops. */
  readonly capabilities?: readonly string[];

  readonly hostname?: string;
  readonly domainname?: string;
  readonly readonlyRoot?: boolean;
  /** Recursive, however it is spelled. */
  readonly rootfsPropagation?: Propagation | `r${Propagation}`;
  /** After the defaults; one on a default's target replaces it. */
  readonly mounts?: readonly MountConfig[];
  /** Bytes of /dev/shm. */
  readonly shmSize?: number;
  /** Beside the default ones. */
  readonly devices?: readonly SpecDevice[];
  /** Every device of the host's, and the right to open any. */
  readonly everyDevice?: readonly SpecDevice[];
  readonly withoutShm?: boolean;
  readonly writableSys?: boolean;
  readonly writableCgroups?: boolean;
  readonly apparmorProfile?: string;
  readonly maskedPaths?: readonly string[];
  readonly readonlyPaths?: readonly string[];

  /** By type: a new namespace, the host's, or one to join. New when absent, but user and time, which are made on request only. */
  readonly namespaces?: Readonly<Partial<Record<NamespaceType, "private" | "host" | { readonly path: string }>>>;
  /** With a private user namespace; without any, the container's ids are those of the namespace that the supervisor is in. */
  readonly idMap?: { readonly uids: readonly IdMapping[]; readonly gids: readonly IdMapping[] };
  readonly sysctl?: Readonly<Record<string, string>>;
  /** Absolute. */
  readonly cgroupsPath?: string;
  readonly resources?: LinuxResources;
  readonly annotations?: Readonly<Record<string, string>>;

  /** As in an image's platform; `amd64` when absent. */
  readonly architecture?: string;
  readonly kernel?: string;
  /** The default profile when absent; `unconfined`: none. */
  readonly seccomp?: SeccompProfile | "unconfined";
  /** The supervisor itself is in a user namespace: nothing is mounted or made that takes the host's root. */
  readonly rootless?: boolean;
}

/** Docker's. */
export const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** The container that Docker would run for these options, as config.json. `root.path` is left to the supervisor. */
export function defaultSpec(options: SpecOptions): RuntimeConfig {
  const { rootless = false, hostname, domainname, annotations } = options;
  const devices = allDevices(options);
  const capabilities = options.capabilities ?? chooseCapabilities();
  const namespaces = specNamespaces(options.namespaces);
  // In a user namespace no node can be made, and libcontainer makes none outside of /dev: there the host's own stands in.
  const isMounted = ({ path }: SpecDevice) => rootless || options.idMap !== undefined || !path.startsWith("/dev/");
  const made = devices.filter((device) => !isMounted(device));
  const own = [...(options.mounts ?? []), ...deviceMounts(devices.filter(isMounted))];
  const seccomp = specSeccomp(options, capabilities);
  const sysctl = specSysctl(options, namespaces);
  return {
    ociVersion: "1.1.0",
    process: specProcess(options, capabilities),
    root: { path: "rootfs", readonly: options.readonlyRoot ?? false },
    ...(hostname !== undefined && { hostname }),
    ...(domainname !== undefined && { domainname }),
    mounts: mergeMounts(defaultMounts(options), own),
    ...(annotations && { annotations }),
    linux: {
      namespaces,
      ...(options.idMap && { uidMappings: options.idMap.uids, gidMappings: options.idMap.gids }),
      ...(made.length > 0 && { devices: made.map(({ access: _, source: __, ...device }) => device) }),
      ...(options.cgroupsPath !== undefined && { cgroupsPath: options.cgroupsPath }),
      // The device list is root's to set: without root there is no node that could be opened and not before.
      resources: { ...options.resources, ...(!rootless && { devices: specRules(options) }) },
      rootfsPropagation: (options.rootfsPropagation ?? "private").replace(/^r/, "") as Propagation,
      ...(seccomp && { seccomp }),
      ...(Object.keys(sysctl).length > 0 && { sysctl }),
      maskedPaths: options.maskedPaths ?? defaultMaskedPaths,
      readonlyPaths: options.readonlyPaths ?? defaultReadonlyPaths,
    },
  };
}

/** One asked for by name stands in for the host's own at the same path. */
function allDevices({ devices = [], everyDevice = [] }: SpecOptions): readonly SpecDevice[] {
  const taken = new Set([...devices, ...defaultDevices].map(({ path }) => path));
  return [...everyDevice.filter(({ path }) => !taken.has(path)), ...devices];
}

function specRules({ devices, everyDevice, resources }: SpecOptions): readonly DeviceRule[] {
  if (everyDevice) return [{ allow: true, access: "rwm" }];
  return [...deviceRules(devices), ...(resources?.devices ?? [])];
}

function specProcess(options: SpecOptions, capabilities: readonly string[]): ProcessConfig {
  const { user = { uid: 0, gid: 0 }, terminal, consoleSize, rlimits, oomScoreAdj } = options;
  return {
    args: options.args,
    cwd: options.cwd ?? "/",
    env: withPath(options.env ?? []),
    user,
    ...(terminal !== undefined && { terminal }),
    ...(consoleSize && { consoleSize }),
    capabilities: capabilitySets(capabilities, user.uid),
    // Absent, not false: libcontainer 0.7 takes any value for a yes when it orders its steps, and then may not load the filter.
    ...(options.noNewPrivileges && { noNewPrivileges: true }),
    ...(rlimits && { rlimits }),
    ...(oomScoreAdj !== undefined && { oomScoreAdj }),
    ...(options.apparmorProfile !== undefined && { apparmorProfile: options.apparmorProfile }),
  };
}

function withPath(env: readonly string[]): readonly string[] {
  return env.some((entry) => entry.startsWith("PATH=")) ? env : [`PATH=${defaultPath}`, ...env];
}

const isolated: readonly NamespaceType[] = ["mount", "pid", "network", "ipc", "uts", "cgroup", "user", "time"];

function specNamespaces(wanted: SpecOptions["namespaces"] = {}): Namespace[] {
  return isolated.flatMap((type) => {
    const choice = wanted[type] ?? (type === "user" || type === "time" ? "host" : "private");
    if (choice === "host") return [];
    return [choice === "private" ? { type } : { type, path: choice.path }];
  });
}

function specSeccomp(options: SpecOptions, capabilities: readonly string[]): Seccomp | undefined {
  if (options.seccomp === "unconfined") return undefined;
  const machine = { architecture: options.architecture ?? "amd64", capabilities };
  return resolveSeccomp({ ...machine, ...(options.kernel !== undefined && { kernel: options.kernel }) }, options.seccomp);
}

/** In a network namespace of its own any user may listen on low ports and ping, as in Docker; the host's settings are not ours to change. */
function specSysctl({ sysctl = {}, rootless, idMap }: SpecOptions, namespaces: readonly Namespace[]): Readonly<Record<string, string>> {
  const isPrivate = namespaces.some(({ type, path }) => type === "network" && path === undefined);
  if (!isPrivate) return sysctl;
  // The range must be mapped, which in a user namespace it is not.
  const ping = rootless || idMap ? {} : { "net.ipv4.ping_group_range": "0 2147483647" };
  return { "net.ipv4.ip_unprivileged_port_start": "0", ...ping, ...sysctl };
}
