import type { Resources } from "@ramekin/core";

/** What a container may use of the machine. What no controller here can hold is refused, or left out with a warning where Docker does so. */
export interface ResourceOptions {
  /** In the words of the runtime spec, but for block devices, which are told by path: see `blockIO`. */
  readonly resources?: Resources;
  /** Processors, `1.5`: instead of quota and period. */
  readonly cpus?: number;
  readonly blockIO?: BlockIOLimits;
  /** −1000 (never killed) to 1000. */
  readonly oomScoreAdj?: number;
  /** getrlimit(2), by the lower-case name: `nofile`. −1 is no limit. */
  readonly ulimits?: Readonly<Record<string, Ulimit>>;
  /** Bytes of /dev/shm. */
  readonly shmSize?: number;
  readonly sysctls?: Readonly<Record<string, string>>;
  /** The control group that the container's is made in; absolute, or below the one that all of ours are in. */
  readonly cgroupParent?: string;
  readonly devices?: readonly DeviceOption[];
  readonly gpus?: GpuOption;
  /** As in devices.allow of cgroup v1: `c 1:3 rwm`. */
  readonly deviceRules?: readonly string[];
}

export interface Ulimit {
  readonly soft: number;
  readonly hard: number;
}

/** Graphics processors, by the files of their vendor (CDI). */
export interface GpuOption {
  readonly count?: number | "all";
  readonly devices?: readonly string[];
}

/** A device node of the host, or a directory of them. */
export interface DeviceOption {
  /** Or a name of the Container Device Interface, `VENDOR/CLASS=DEVICE`, which has neither target nor access. */
  readonly source: string;
  /** Where it is in the container; as on the host when absent. */
  readonly target?: string;
  /** Of `rwm`; all when absent. */
  readonly access?: string;
}

export interface BlockIOLimits {
  /** 10 to 1000; 0: none. */
  readonly weight?: number;
  readonly weights?: readonly { readonly path: string; readonly weight: number }[];
  readonly readBps?: readonly DeviceRate[];
  readonly writeBps?: readonly DeviceRate[];
  readonly readIops?: readonly DeviceRate[];
  readonly writeIops?: readonly DeviceRate[];
}

/** Per second. */
export interface DeviceRate {
  readonly path: string;
  readonly rate: number;
}
