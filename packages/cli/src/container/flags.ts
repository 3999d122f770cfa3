import type { Flags, Refusal } from "../verb.ts";
import { mountFlags } from "./mount-flags.ts";
import { namespaceFlags } from "./namespace-flags.ts";
import { processFlags } from "./process-flags.ts";
import { resourceFlags } from "./resource-flags.ts";
import { securityFlags } from "./security-flags.ts";
import { supervisionFlags } from "./supervision-flags.ts";

/** What `run` and `create` have in common. */
export const containerFlags = {
  ...mountFlags,
  ...namespaceFlags,
  ...processFlags,
  ...resourceFlags,
  ...securityFlags,
  ...supervisionFlags,
  attach: { type: "list", short: "a", summary: "Attach to STDIN, STDOUT or STDERR" },
  cidfile: { type: "string", value: "file", summary: "Write the container ID to the file", complete: "file" },
  entrypoint: { type: "string", summary: "Overwrite the default ENTRYPOINT of the image" },
  env: { type: "list", short: "e", summary: "Set environment variables" },
  "env-file": { type: "list", summary: "Read in a file of environment variables", complete: "file" },
  hostname: { type: "string", short: "h", summary: "Container host name" },
  init: { type: "boolean", summary: "Run an init inside the container that forwards signals and reaps processes" },
  interactive: { type: "boolean", short: "i", summary: "Keep STDIN open even if not attached" },
  label: { type: "list", short: "l", summary: "Set meta data on a container" },
  name: { type: "string", summary: "Assign a name to the container" },
  network: {
    type: "string",
    value: "network",
    summary: 'Connect the container to a network: "none", "host", "container:NAME" or "ns:PATH"',
  },
  platform: { type: "string", summary: "Choose the platform of a multi-platform image" },
  pull: {
    type: "string",
    choices: ["always", "missing", "never"],
    default: "missing",
    summary: 'Pull image before running ("always", "missing", "never")',
  },
  quiet: { type: "boolean", short: "q", summary: "Suppress the pull output" },
  replace: { type: "boolean", summary: "If a container with the same name exists, replace it" },
  rm: { type: "boolean", summary: "Automatically remove the container when it exits" },
  rootfs: {
    type: "boolean",
    summary: "IMAGE is a directory with the container's files; DIRECTORY:O keeps what it writes with the container",
  },
  "stop-signal": { type: "string", summary: "Signal to stop the container" },
  "stop-timeout": { type: "int", summary: "Timeout (in seconds) to stop a container" },
  tty: { type: "boolean", short: "t", summary: "Allocate a pseudo-TTY" },
  user: { type: "string", short: "u", summary: "Username or UID (format: <name|uid>[:<group|gid>])" },
  workdir: { type: "string", short: "w", summary: "Working directory inside the container" },
} as const satisfies Flags;

const bridge: Omit<Refusal, "short"> = {
  reason: "publishing ports needs the network driver bridge, which this version does not have",
  hint: "--network host shares the host's ports",
};
const endpoint: Refusal = {
  reason: "it is about a connection to a network that containers share, which this version does not have",
  hint: "--network container:NAME shares another container's network",
};
const windows: Refusal = { reason: "only Windows containers have it" };

/** Flags of Docker that people's fingers know, with the reason why they cannot be had. */
export const refusedContainerFlags = {
  publish: { short: "p", ...bridge },
  "publish-all": { short: "P", ...bridge },
  ip: endpoint,
  ip6: endpoint,
  link: endpoint,
  "link-local-ip": endpoint,
  "mac-address": endpoint,
  "network-alias": endpoint,
  "use-api-socket": { reason: "there is no daemon, and so no API socket to give to a container" },
  hostuser: { reason: "users of the host are not copied into the container", hint: "--user UID:GID runs as any of them" },
  "cpu-count": windows,
  "cpu-percent": windows,
  "io-maxbandwidth": windows,
  "io-maxiops": windows,
  isolation: { reason: "what isolates containers is chosen before the verb", hint: "ramekin --isolation NAME run …" },
} as const satisfies Readonly<Record<string, Refusal>>;

export const detachKeysFlag = {
  type: "string",
  summary: "Override the key sequence for detaching a container",
} as const;
