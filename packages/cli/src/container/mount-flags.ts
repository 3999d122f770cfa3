import type { Flags } from "../verb.ts";

/** What `run` and `create` mount. */
export const mountFlags = {
  mount: {
    type: "list",
    value: "mount",
    summary: "Attach a filesystem mount to the container (type bind, volume, tmpfs, image, glob, devpts or ramfs)",
  },
  "read-only": { type: "boolean", summary: "Mount the container's root filesystem as read only" },
  "read-only-tmpfs": { type: "boolean", summary: "With --read-only: /run, /tmp and /var/tmp are writable, in memory" },
  secret: { type: "list", value: "secret", summary: "Give the container a secret: its name, then type, target, uid, gid and mode" },
  tmpfs: { type: "list", summary: "Mount a tmpfs directory" },
  volume: {
    type: "list",
    short: "v",
    summary: "Mount a volume or a path of the host ([name|path:]container-path[:options])",
    complete: "file",
  },
  "volume-driver": { type: "string", summary: "Volume driver of the volumes that --volume makes" },
  "volumes-from": { type: "list", summary: "Mount the volumes of another container (container[:ro|rw])" },
} as const satisfies Flags;
