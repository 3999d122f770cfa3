import type { IdMapping } from "@ramekin/core";

/**
 * What a container shares with the host or with another container. `container:NAME` is one by name or id, which runs when this one
 * starts; `ns:PATH` is the namespace of that file, whoever is in it.
 */
export interface NamespaceOptions {
  /** `private` when absent, `host`, `container:NAME`, `ns:PATH`. */
  readonly pid?: string;
  /** `private` when absent, `host`, `none` (without /dev/shm), `shareable`, `container:NAME` of a shareable one, `ns:PATH`. */
  readonly ipc?: string;
  /** `private` when absent, `host`, `container:NAME`, `ns:PATH`. */
  readonly uts?: string;
  /** `private` when absent, `host`, `ns:PATH`. */
  readonly cgroupns?: string;
  /** `host` when absent; `private`, with the maps below or ids of its own; `auto[:size=N]`: ids that no other container has; `keep-id`: root's, all of the host's. */
  readonly userns?: string;
  /** Which ids of the host the container's are; what is said for one kind alone goes for both. */
  readonly uidMaps?: readonly IdMapping[];
  readonly gidMaps?: readonly IdMapping[];
  /** All ids of that user's in subuid(5), and in subgid(5). */
  readonly subuidName?: string;
  readonly subgidName?: string;
}
