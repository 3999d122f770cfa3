import type { Flags } from "../verb.ts";

/** Who the processes are, and what they find of the world. */
export const processFlags = {
  "add-host": { type: "list", value: "host:ip", summary: "Add a custom host-to-IP mapping (host:ip)" },
  annotation: { type: "list", value: "key=value", summary: "Add an annotation to the container (passed through to the OCI runtime)" },
  dns: { type: "list", value: "address", summary: "Set custom DNS servers" },
  "dns-option": { type: "list", value: "option", summary: "Set DNS options" },
  "dns-search": { type: "list", value: "domain", summary: "Set custom DNS search domains" },
  domainname: { type: "string", summary: "Container NIS domain name" },
  "env-host": { type: "boolean", summary: "Use all of the caller's environment variables in the container" },
  expose: { type: "list", value: "port", summary: "Expose a port or a range of ports" },
  "group-add": { type: "list", value: "group", summary: "Add additional groups to join" },
  "label-file": { type: "list", value: "file", summary: "Read in a line delimited file of labels", complete: "file" },
  "no-hosts": { type: "boolean", summary: "Leave /etc/hosts as it is in the image" },
  pidfile: { type: "string", value: "file", summary: "Write the process ID of the container to the file at each start", complete: "file" },
  runtime: { type: "string", value: "program", summary: "OCI runtime to use for this container, by path or name" },
  tz: { type: "string", value: "zone", summary: 'Time zone in the container, such as Europe/Paris, or "local"' },
  umask: { type: "string", value: "octal", summary: "File mode creation mask of the container's processes" },
  unsetenv: { type: "list", value: "name", summary: "Unset environment variables of the image" },
  "unsetenv-all": { type: "boolean", summary: "Unset all environment variables of the image" },
} as const satisfies Flags;
