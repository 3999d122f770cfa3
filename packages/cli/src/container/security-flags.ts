import type { Flags } from "../verb.ts";

/** What a container's processes may do. */
export const securityFlags = {
  "cap-add": { type: "list", summary: "Add Linux capabilities" },
  "cap-drop": { type: "list", summary: "Drop Linux capabilities" },
  privileged: { type: "boolean", summary: "Give extended privileges to the container" },
  "security-opt": { type: "list", value: "option", summary: "Security options (seccomp=, no-new-privileges, systempaths=unconfined, …)" },
} as const satisfies Flags;
