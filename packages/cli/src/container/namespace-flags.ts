import type { Flags } from "../verb.ts";

/** What a container shares with the host or with another one. */
export const namespaceFlags = {
  cgroupns: { type: "string", value: "mode", summary: 'Cgroup namespace to use ("private", "host", "ns:PATH")' },
  gidmap: { type: "list", value: "container:host:size", summary: "GID map to use for the user namespace" },
  ipc: { type: "string", value: "mode", summary: 'IPC mode to use ("private", "host", "none", "shareable", "container:NAME", "ns:PATH")' },
  pid: { type: "string", value: "mode", summary: 'PID namespace to use ("private", "host", "container:NAME", "ns:PATH")' },
  subgidname: { type: "string", value: "name", summary: "Name of the range of groups in /etc/subgid to use for the user namespace" },
  subuidname: { type: "string", value: "name", summary: "Name of the range of users in /etc/subuid to use for the user namespace" },
  uidmap: { type: "list", value: "container:host:size", summary: "UID map to use for the user namespace" },
  userns: { type: "string", value: "mode", summary: 'User namespace to use ("host", "private", "auto[:size=N]", "keep-id")' },
  uts: { type: "string", value: "mode", summary: 'UTS namespace to use ("private", "host", "container:NAME", "ns:PATH")' },
} as const satisfies Flags;
