import { hostname as machineName } from "node:os";
import type { NetworkDriver } from "@ramekin/core";
import { defaultSpec, type Hook, type HookName, type MountConfig, type RuntimeConfig } from "@ramekin/oci";
import type { ContainerOptions } from "./api.ts";
import type { CdiEdits } from "./cdi.ts";
import { etcMounts } from "./etc-files.ts";
import type { OpenedImage } from "./image.ts";
import { numericUser, processCwd, processEnv } from "./process.ts";
import type { SandboxSpec } from "./sandbox.ts";
import type { ContainerPaths } from "./store/paths.ts";

/** Where the init program is bound to; the supervisor makes the file that it covers. */
const initTarget = "/sbin/ramekin-init";

export interface SpecInput {
  readonly id: string;
  readonly image: OpenedImage;
  readonly options: ContainerOptions;
  readonly args: readonly string[];
  readonly user: string | undefined;
  readonly mounts: readonly MountConfig[];
  readonly network: NetworkDriver["namespace"];
  readonly hostname: string;
  readonly paths: ContainerPaths;
  /** Where hosts, hostname and resolv.conf are, when they are another container's. */
  readonly etc?: ContainerPaths;
  readonly cgroupsPath: string | undefined;
  /** What limits, privileges and namespaces add. */
  readonly sandbox: SandboxSpec;
  readonly rootless: boolean;
  /** Of the init program, with `init`. */
  readonly init?: string;
}

/** From an image's configuration and what was asked for to the OCI runtime spec. */
export function containerSpec(input: SpecInput): RuntimeConfig {
  const { id, image, options, args, mounts, paths, network, hostname, rootless } = input;
  const run = image.config.config ?? {};
  const user = numericUser(input.user);
  const taken = new Set(mounts.map(({ destination }) => destination));
  const { extraMounts = [], zone, vendor, ...sandbox } = input.sandbox;
  const shared = [...extraMounts, ...(zone ? [zone] : [])].filter(({ destination }) => !taken.has(destination));
  const uts = sandbox.namespaces?.uts ?? "private";
  const init: MountConfig[] =
    input.init === undefined ? [] : [{ destination: initTarget, type: "bind", source: input.init, options: ["bind", "ro", "nosuid"] }];
  const spec = defaultSpec({
    args: input.init === undefined ? args : [initTarget, "--", ...args],
    env: withVariables(processEnv(run, options, hostname), vendor?.env ?? []),
    cwd: processCwd(run, options.workdir),
    terminal: options.tty ?? false,
    ...((user || options.umask !== undefined) && {
      user: { ...(user ?? { uid: 0, gid: 0 }), ...(options.umask !== undefined && { umask: options.umask }) },
    }),
    ...(options.windowSize && { consoleSize: { height: options.windowSize.rows, width: options.windowSize.columns } }),
    // In a namespace that others are in, it would be their name as well.
    ...(uts === "private" && { hostname }),
    readonlyRoot: options.readOnly ?? false,
    mounts: [...init, ...etcMounts(input.etc ?? paths, options.noHosts ? new Set([...taken, "/etc/hosts"]) : taken), ...shared, ...mounts],
    rootfsPropagation: rootPropagation(options),
    ...(input.cgroupsPath !== undefined && { cgroupsPath: input.cgroupsPath }),
    architecture: image.config.architecture || "amd64",
    rootless,
    ...sandbox,
    namespaces: { network, ...sandbox.namespaces },
    annotations: { ...sandbox.annotations, "dev.ramekin.container.id": id },
  });
  return vendor && vendor.hooks.length > 0 ? { ...spec, hooks: hooksOf(vendor.hooks) } : spec;
}

/** A vendor knows better than the image what its device needs. */
function withVariables(env: readonly string[], more: readonly string[]): readonly string[] {
  const names = new Set(more.map((entry) => entry.split("=", 1)[0]));
  return [...env.filter((entry) => !names.has(entry.split("=", 1)[0])), ...more];
}

function hooksOf(hooks: CdiEdits["hooks"]): NonNullable<RuntimeConfig["hooks"]> {
  const all: { [N in HookName]?: Hook[] } = {};
  for (const { name, ...hook } of hooks) all[name] = [...(all[name] ?? []), hook];
  return all;
}

/** config.json: JSON, but for a limit that is none, which is the greatest number of 64 bits and so more than JavaScript counts to. */
export function specText(spec: object): string {
  return JSON.stringify(spec).replaceAll(/"(hard|soft)":(?:-1|18446744073709552000)(?=[,}])/g, '"$1":18446744073709551615');
}

/** A mount that passes mounts on needs a root that does not stop them. */
function rootPropagation({ mounts = [] }: ContainerOptions): "rprivate" | "rslave" | "rshared" {
  const wanted = new Set(
    mounts.flatMap((mount) => (mount.type === "bind" && mount.propagation ? [mount.propagation.replace(/^r/, "")] : [])),
  );
  return wanted.has("shared") ? "rshared" : wanted.has("slave") ? "rslave" : "rprivate";
}

/** Twelve digits of the id; who shares the host's network or name has its name, as in Docker. */
export function hostnameOf(id: string, options: Pick<ContainerOptions, "hostname" | "uts">, network: NetworkDriver["namespace"]): string {
  return options.hostname ?? (network === "host" || options.uts === "host" ? machineName() : id.slice(0, 12));
}
