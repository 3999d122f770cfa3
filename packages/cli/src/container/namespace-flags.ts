import type { Flags } from "../verb.ts";

/** What a container shares with the host or with another one. */
export const namespaceFlags = {
  cgroupns: { type: "string", value: "mode", summary: 'Cgroup namespace to use ("private", "host")' },
  ipc: { type: "string", value: "mode", summary: 'IPC mode to use ("private", "host", "none", "shareable", "container:NAME")' },
  pid: { type: "string", value: "mode", summary: 'PID namespace to use ("private", "host", "container:NAME")' },
  uts: { type: "string", value: "mode", summary: 'UTS namespace to use ("private", "host", "container:NAME")' },
} as const satisfies Flags;
