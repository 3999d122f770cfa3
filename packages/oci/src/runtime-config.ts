import type { IdMapping, Mount, ProcessSpec, Resources, RuntimeSpec } from "@ramekin/core";

/**
 * The whole of config.json, OCI runtime spec 1.2 (config.md and config-linux.md), as far as it concerns Linux.
 * It narrows the contracts' `RuntimeSpec`, so it can be handed to whatever takes that.
 */
export interface RuntimeConfig extends RuntimeSpec {
  readonly process: ProcessConfig;
  /** `path` is the supervisor's to fill in: only it knows where the root is mounted. */
  readonly root?: { readonly path: string; readonly readonly?: boolean };
  readonly hostname?: string;
  readonly domainname?: string;
  readonly mounts: readonly MountConfig[];
  readonly hooks?: Readonly<Partial<Record<HookName, readonly Hook[]>>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly linux: LinuxConfig;
}

export interface ProcessConfig extends ProcessSpec {
  readonly capabilities?: CapabilitySets;
  readonly rlimits?: readonly Rlimit[];
  readonly noNewPrivileges?: boolean;
  readonly oomScoreAdj?: number;
  readonly apparmorProfile?: string;
  readonly selinuxLabel?: string;
  readonly ioPriority?: { readonly class: string; readonly priority?: number };
  readonly scheduler?: { readonly policy: string; readonly nice?: number; readonly priority?: number; readonly flags?: readonly string[] };
}

/** capabilities(7); names with `CAP_`. */
export interface CapabilitySets {
  readonly bounding?: readonly string[];
  readonly effective?: readonly string[];
  readonly permitted?: readonly string[];
  readonly inheritable?: readonly string[];
  readonly ambient?: readonly string[];
}

/** getrlimit(2): `type` is `RLIMIT_NOFILE` and so on. */
export interface Rlimit {
  readonly type: string;
  readonly soft: number;
  readonly hard: number;
}

export interface MountConfig extends Partial<Omit<Mount, "options">> {
  readonly destination: string;
  readonly options?: readonly string[];
  readonly uidMappings?: readonly IdMapping[];
  readonly gidMappings?: readonly IdMapping[];
}

export type HookName = "prestart" | "createRuntime" | "createContainer" | "startContainer" | "poststart" | "poststop";
export interface Hook {
  readonly path: string;
  readonly args?: readonly string[];
  readonly env?: readonly string[];
  /** Seconds. */
  readonly timeout?: number;
}

export type NamespaceType = "mount" | "pid" | "network" | "ipc" | "uts" | "cgroup" | "user" | "time";
export interface Namespace {
  readonly type: NamespaceType;
  /** Joined when given, new when absent. */
  readonly path?: string;
}

/** Recursive in any case; of the spellings of mount(8), the specification has these. */
export type Propagation = "private" | "shared" | "slave" | "unbindable";

export interface LinuxConfig {
  readonly namespaces: readonly Namespace[];
  readonly uidMappings?: readonly IdMapping[];
  readonly gidMappings?: readonly IdMapping[];
  readonly timeOffsets?: Readonly<Record<string, { readonly secs?: number; readonly nanosecs?: number }>>;
  readonly devices?: readonly Device[];
  readonly cgroupsPath?: string;
  readonly resources?: LinuxResources;
  readonly rootfsPropagation?: Propagation;
  readonly seccomp?: Seccomp;
  readonly sysctl?: Readonly<Record<string, string>>;
  readonly maskedPaths?: readonly string[];
  readonly readonlyPaths?: readonly string[];
  readonly mountLabel?: string;
  readonly personality?: { readonly domain: string; readonly flags?: readonly string[] };
}

export interface Device {
  readonly type: "c" | "b" | "u" | "p";
  readonly path: string;
  readonly major?: number;
  readonly minor?: number;
  readonly fileMode?: number;
  readonly uid?: number;
  readonly gid?: number;
}

/** A line of the device list of the control group; absent `major` or `minor`: any. */
export interface DeviceRule {
  readonly allow: boolean;
  readonly type?: "a" | "c" | "b";
  readonly major?: number;
  readonly minor?: number;
  /** Of `rwm`: read, write, mknod. */
  readonly access?: string;
}

export interface LinuxResources extends Resources {
  readonly devices?: readonly DeviceRule[];
  readonly hugepageLimits?: readonly { readonly pageSize: string; readonly limit: number }[];
}

/** config-linux.md, "Seccomp". */
export interface Seccomp {
  readonly defaultAction: SeccompAction;
  readonly defaultErrnoRet?: number;
  readonly architectures?: readonly string[];
  readonly flags?: readonly string[];
  readonly syscalls?: readonly SeccompRule[];
}

export type SeccompAction =
  | "SCMP_ACT_ALLOW"
  | "SCMP_ACT_ERRNO"
  | "SCMP_ACT_KILL"
  | "SCMP_ACT_KILL_PROCESS"
  | "SCMP_ACT_KILL_THREAD"
  | "SCMP_ACT_LOG"
  | "SCMP_ACT_NOTIFY"
  | "SCMP_ACT_TRACE"
  | "SCMP_ACT_TRAP";

export interface SeccompRule {
  readonly names: readonly string[];
  readonly action: SeccompAction;
  readonly errnoRet?: number;
  readonly args?: readonly SeccompArgument[];
}

export interface SeccompArgument {
  readonly index: number;
  /** With `SCMP_CMP_MASKED_EQ`, the mask. */
  readonly value: number;
  /** With `SCMP_CMP_MASKED_EQ`, what the masked argument must equal; 0 when absent. */
  readonly valueTwo?: number;
  readonly op: "SCMP_CMP_NE" | "SCMP_CMP_LT" | "SCMP_CMP_LE" | "SCMP_CMP_EQ" | "SCMP_CMP_GE" | "SCMP_CMP_GT" | "SCMP_CMP_MASKED_EQ";
}
