/** What a container shares with the host or with another container. `container:NAME` is one by name or id, which runs when this one starts. */
export interface NamespaceOptions {
  /** `private` when absent, `host`, `container:NAME`. */
  readonly pid?: string;
  /** `private` when absent, `host`, `none` (without /dev/shm), `shareable`, `container:NAME` of a shareable one. */
  readonly ipc?: string;
  /** `private` when absent, `host`, `container:NAME`. */
  readonly uts?: string;
  /** `private` when absent, `host`. */
  readonly cgroupns?: string;
}
