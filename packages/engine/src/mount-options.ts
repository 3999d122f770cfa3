import type { Descriptor } from "@ramekin/core";

/** What a container sees of files that are not its own; all targets are absolute. */
export type ContainerMount = BindMount | VolumeMount | TmpfsMount | ImageViewMount | DevptsMount;

export interface BindMount {
  readonly type: "bind";
  /** Absolute, on the host; NOT_FOUND when absent, unless `createSource`. */
  readonly source: string;
  readonly target: string;
  readonly readOnly?: boolean;
  readonly createSource?: boolean;
  readonly propagation?: "private" | "rprivate" | "shared" | "rshared" | "slave" | "rslave";
  /**
   * What becomes of mounts below `source`. `enabled`, the default: they come along, read-only as far as the kernel can;
   * `disabled`: they do not; `writable`: they stay as they are though `readOnly`; `readonly`: they must become read-only.
   */
  readonly recursive?: "enabled" | "disabled" | "writable" | "readonly";
  /** `source` and all below it are given to the container's user, for good. */
  readonly chown?: boolean;
  /** Owners in it are ids of the container's user namespace. */
  readonly idmap?: boolean;
  /** What the container writes stays with the container; `source` is only read. */
  readonly overlay?: boolean;
  /** More of mount(8): `nosuid`, `nodev`, `noexec` and their opposites. */
  readonly options?: readonly string[];
}

/** What a volume is made as, where there is none of that name. */
export interface VolumeDraft {
  /** `local` is the only one. */
  readonly driver?: string;
  /** Of `local`: `type`, `device` and `o`, as for mount(8). */
  readonly driverOptions?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
}

/** A volume, made when there is none of that name. An empty one gets what the image has at the target. */
export interface VolumeMount extends VolumeDraft {
  readonly type: "volume";
  /** Its name; absent: a new one without a name, which `remove` takes along if asked to. */
  readonly source?: string;
  readonly target: string;
  readonly readOnly?: boolean;
  /** Nothing of the image's goes in. */
  readonly noCopy?: boolean;
  /** Only what is there is shown: must exist, and links lead nowhere out of the volume. */
  readonly subpath?: string;
  readonly chown?: boolean;
  /** Owners in it are ids of the container's user namespace. */
  readonly idmap?: boolean;
  readonly options?: readonly string[];
}

export interface TmpfsMount {
  readonly type: "tmpfs";
  readonly target: string;
  /** Bytes. */
  readonly size?: number;
  readonly mode?: number;
  /** As in mount(8); after the defaults `nosuid,nodev,noexec`. */
  readonly options?: readonly string[];
  /** What `--tmpfs` said: as in Docker, `inspect` tells of such a mount by these words, and not among the others. */
  readonly words?: string;
  /** Memory that is never swapped out, and knows no size. */
  readonly ramfs?: boolean;
}

/** The files of an image, without a container of it. */
export interface ImageViewMount {
  readonly type: "image";
  /** Of an image that has no name; `source` is then only what it is called. */
  readonly descriptor?: Descriptor;
  readonly source: string;
  readonly target: string;
  readonly subpath?: string;
  /** What the container writes there goes with it. */
  readonly writable?: boolean;
}

/** Another instance of the pseudo-terminals. */
export interface DevptsMount {
  readonly type: "devpts";
  readonly target: string;
  readonly uid?: number;
  readonly gid?: number;
  readonly mode?: number;
  readonly max?: number;
}

/** The volumes and binds of another container. */
export interface VolumesFrom {
  readonly container: string;
  /** Absent: as there. */
  readonly readOnly?: boolean;
}

/** One of the store's secrets. Its content is in no file but the store's, and in the container's memory. */
export type SecretUse =
  | {
      readonly type: "mount";
      readonly secret: string;
      /** Absolute, or below /run/secrets; the secret's name when absent. */
      readonly target?: string;
      /** 0 when absent. */
      readonly uid?: number;
      readonly gid?: number;
      /** 0444 when absent. */
      readonly mode?: number;
    }
  | {
      readonly type: "env";
      readonly secret: string;
      /** The variable; the secret's name when absent. */
      readonly target?: string;
    };

/** A part of what `create` takes. */
export interface MountOptions {
  readonly mounts?: readonly ContainerMount[];
  readonly volumesFrom?: readonly VolumesFrom[];
  /** With `readOnly`: /run, /tmp and /var/tmp are in memory. */
  readonly readOnlyTmpfs?: boolean;
  readonly secrets?: readonly SecretUse[];
}

/** What a mount has become: in `config.json`, and in what `inspect` shows. */
export interface MountPoint {
  readonly type: ContainerMount["type"];
  /** Of a volume, or of an image. */
  readonly name?: string;
  /** Where it is on the host; nothing of a tmpfs. */
  readonly source: string;
  readonly destination: string;
  readonly driver?: string;
  /** What was asked for: `ro`, `z`. */
  readonly mode: string;
  /** Of a tmpfs that was asked for by `--tmpfs`. */
  readonly words?: string;
  readonly writable: boolean;
  /** Of binds. */
  readonly propagation: string;
  /** Of a volume that has no name of its own and goes with the container. */
  readonly anonymous?: boolean;
  readonly subpath?: string;
  /** Not to be filled with what the image has there. */
  readonly noCopy?: boolean;
  readonly chown?: boolean;
  /** Owners in it are ids of the container's user namespace. */
  readonly idmap?: boolean;
  /** Of a bind whose changes stay with the container: where. */
  readonly overlay?: string;
  /** Of an image, and the key of its view in the storage. */
  readonly image?: { readonly descriptor: Descriptor; readonly chainId: string; readonly key: string };
}
