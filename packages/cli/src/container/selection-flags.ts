/** Podman's ways to say which containers, in place of their names. */
export const selectionFlags = {
  all: { type: "boolean", short: "a", summary: "All containers that it can be done to" },
  cidfile: { type: "list", value: "file", summary: "Read the container's id from a file" },
  latest: { type: "boolean", short: "l", summary: "The container that was created last" },
} as const;

/** Where one container is meant, by its name or so. */
export const latestFlag = selectionFlags.latest;

/** Where `-f` is not taken by another flag. */
export const filterFlag = {
  type: "list",
  short: "f",
  value: "filter",
  summary: "Those that a filter of 'ps' fits, such as label=KEY",
} as const;

export const ignoreFlag = { type: "boolean", short: "i", summary: "Say nothing of containers that are not there" } as const;
