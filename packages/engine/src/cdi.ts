import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { isRamekinError, RamekinError } from "@ramekin/core";
import type { Hook, HookName, MountConfig, SpecDevice } from "@ramekin/oci";
import { planDevice } from "./devices.ts";
import { isGone } from "./store/files.ts";

/**
 * The Container Device Interface, github.com/cncf-tags/container-device-interface: a device is a name, `VENDOR/CLASS=DEVICE`, and files
 * of its vendor's say what a container has to get for it.
 */
export interface CdiEdits {
  readonly env: readonly string[];
  readonly devices: readonly SpecDevice[];
  readonly mounts: readonly MountConfig[];
  readonly hooks: readonly (Hook & { readonly name: HookName })[];
  readonly groups: readonly number[];
}

/** As in a file; absent lists are empty. */
interface Edits {
  readonly env?: readonly string[];
  readonly deviceNodes?: readonly DeviceNode[];
  readonly mounts?: readonly {
    readonly hostPath: string;
    readonly containerPath: string;
    readonly options?: readonly string[];
    readonly type?: string;
  }[];
  readonly hooks?: readonly (Hook & { readonly hookName: HookName })[];
  readonly additionalGids?: readonly number[];
}

interface DeviceNode {
  readonly path: string;
  readonly hostPath?: string;
  readonly type?: "b" | "c" | "u" | "p";
  readonly major?: number;
  readonly minor?: number;
  readonly fileMode?: number;
  readonly permissions?: string;
  readonly uid?: number;
  readonly gid?: number;
}

interface SpecFile {
  readonly cdiVersion: string;
  readonly kind: string;
  readonly containerEdits?: Edits;
  readonly devices: readonly { readonly name: string; readonly containerEdits?: Edits }[];
}

interface Found {
  readonly path: string;
  readonly spec: SpecFile;
}

/** The later goes before the earlier. */
export const cdiDirectories = ["/etc/cdi", "/var/run/cdi"];

export const isCdiName = (name: string): boolean =>
  /^[A-Za-z][A-Za-z0-9._-]*\/[A-Za-z][A-Za-z0-9_-]*=[A-Za-z0-9][A-Za-z0-9_.:-]*$/.test(name);

/** What all of these devices ask for; NOT_FOUND with the names that no file has. */
export async function planCdi(names: readonly string[], directories: readonly string[] = cdiDirectories): Promise<CdiEdits> {
  const layers = await Promise.all(directories.map(readDirectory));
  const missing: string[] = [];
  const edits: Edits[] = [];
  const used = new Set<SpecFile>();
  for (const name of new Set(names)) {
    const found = findDevice(layers, name);
    if (!found) {
      missing.push(name);
      continue;
    }
    // What goes for all devices of a file goes once.
    if (!used.has(found.spec)) edits.push(found.spec.containerEdits ?? {});
    used.add(found.spec);
    edits.push(found.device.containerEdits ?? {});
  }
  if (missing.length > 0) {
    throw new RamekinError("NOT_FOUND", `unresolvable CDI devices ${missing.join(", ")}`, {
      hint: `no file in ${directories.join(" or ")} has them`,
    });
  }
  return {
    env: edits.flatMap(({ env = [] }) => env),
    devices: (await Promise.all(edits.flatMap(({ deviceNodes = [] }) => deviceNodes.map(nodeOf)))).flat(),
    mounts: edits.flatMap(({ mounts = [] }) =>
      mounts.map(({ hostPath, containerPath, type = "bind", options = ["rbind", "rprivate"] }) => ({
        destination: containerPath,
        type,
        source: hostPath,
        options: type === "bind" && !options.some((option) => /^r?bind$/.test(option)) ? ["rbind", ...options] : options,
      })),
    ),
    hooks: edits.flatMap(({ hooks = [] }) => hooks.map(({ hookName, ...hook }) => ({ ...hook, name: hookName }))),
    groups: [...new Set(edits.flatMap(({ additionalGids = [] }) => additionalGids))],
  };
}

/** The vendors that have devices of a class, such as `gpu`, by kind. */
export async function cdiKinds(kindClass: string, directories: readonly string[] = cdiDirectories): Promise<readonly string[]> {
  const files = (await Promise.all(directories.map(readDirectory))).flat();
  return [...new Set(files.map(({ spec }) => spec.kind).filter((kind) => kind.endsWith(`/${kindClass}`)))].sort();
}

function findDevice(
  layers: readonly (readonly Found[])[],
  name: string,
): { spec: SpecFile; device: SpecFile["devices"][number] } | undefined {
  const at = name.indexOf("=");
  const [kind, wanted] = [name.slice(0, at), name.slice(at + 1)];
  for (const layer of [...layers].reverse()) {
    const found = layer.flatMap(({ path, spec }) =>
      spec.kind === kind ? spec.devices.flatMap((device) => (device.name === wanted ? [{ path, spec, device }] : [])) : [],
    );
    if (found.length > 1) {
      const files = found.map(({ path }) => path).join(" and ");
      throw new RamekinError("FAILED_PRECONDITION", `the CDI device ${name} is in more than one file: ${files}`);
    }
    if (found[0]) return found[0];
  }
  return undefined;
}

async function readDirectory(directory: string): Promise<Found[]> {
  let names: string[];
  try {
    names = await readdir(directory);
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
  const files = names.filter((name) => /\.(json|ya?ml)$/.test(name)).sort();
  // A file that cannot be read spoils only its own devices, which then are not found.
  const found = await Promise.all(files.map((name) => readSpec(join(directory, name)).catch(onlyOurs)));
  return found.filter((each) => each !== undefined);
}

const onlyOurs = (error: unknown): undefined => {
  if (isRamekinError(error)) return undefined;
  throw error;
};

async function readSpec(path: string): Promise<Found> {
  const text = await readFile(path, "utf8");
  const spec = (path.endsWith(".json") ? parseJson(path, text) : await parseYaml(path, text)) as Partial<SpecFile> | null;
  if (typeof spec?.kind !== "string" || !Array.isArray(spec.devices))
    throw new RamekinError("INVALID_ARGUMENT", `${path} is no CDI specification`);
  return { path, spec: spec as SpecFile };
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new RamekinError("INVALID_ARGUMENT", `${path} is not JSON`, { cause });
  }
}

async function parseYaml(path: string, text: string): Promise<unknown> {
  const { load } = await import("js-yaml"); // a parser that most runs never need
  try {
    return load(text);
  } catch (cause) {
    throw new RamekinError("INVALID_ARGUMENT", `${path} is not YAML`, { cause });
  }
}

/** What the file does not say of a node, the host's own says. */
async function nodeOf({ path, hostPath = path, permissions = "rwm", ...given }: DeviceNode): Promise<SpecDevice[]> {
  if (given.type !== undefined && (given.type === "p" || given.major !== undefined))
    return [{ ...given, type: given.type, path, source: hostPath, access: permissions }];
  const found = await planDevice({ source: hostPath, target: path, access: permissions });
  return found.map((device) => ({ ...device, ...given }));
}
