import { RamekinError } from "@ramekin/core";
import type { ContainerInfo } from "@ramekin/engine";
import { familiarReference, parseReference } from "@ramekin/oci";
import { matchesLabels } from "../format/filters.ts";
import { parseMoment } from "../values/moment.ts";
import { parsePorts } from "../values/ports.ts";

export const containerFilters = [
  "ancestor",
  "annotation",
  "before",
  "command",
  "exited",
  "expose",
  "health",
  "id",
  "is-task",
  "isolation",
  "label",
  "name",
  "network",
  "publish",
  "since",
  "status",
  "until",
  "volume",
] as const;

type Test = (container: ContainerInfo, values: readonly string[], all: readonly ContainerInfo[]) => boolean;

const tests: Readonly<Record<(typeof containerFilters)[number], Test>> = {
  ancestor: ({ image, imageId }, values) =>
    values.some((value) => sameImage(image, value) || imageId === value || imageId.startsWith(`sha256:${value.replace(/^sha256:/, "")}`)),
  annotation: ({ annotations = {} }, values) => matchesLabels(annotations, values),
  before: ({ createdAt }, values, all) => values.every((value) => createdAt < named(value, all).createdAt),
  // as Podman: the program itself
  command: ({ command: [program = ""] }, values) => values.includes(program),
  exited: ({ exit, status }, values) => status === "exited" && values.some((value) => exit?.code === Number(value)),
  expose: ({ expose = [] }, values) => values.flatMap(wantedPorts).some((port) => expose.includes(port)),
  health: ({ health }, values) => values.includes(health ?? "none"),
  id: ({ id }, values) => values.some((value) => id.startsWith(value)),
  // tasks are a swarm's, and there are none
  "is-task": (_, values) => values.every((value) => !/^(1|t|true)$/i.test(value)),
  isolation: ({ isolation }, values) => values.some((value) => value === isolation || value === "default"),
  label: ({ labels }, values) => matchesLabels(labels, values),
  name: ({ name }, values) => values.some((value) => new RegExp(value.replace(/^\^?\//, (slash) => slash.replace("/", ""))).test(name)),
  network: ({ network }, values) => values.includes(network),
  // networks that publish ports are still to come
  publish: (_, values) => values.flatMap(wantedPorts).length === 0,
  since: ({ createdAt }, values, all) => values.every((value) => createdAt > named(value, all).createdAt),
  status: ({ status }, values) => values.includes(status),
  until: ({ createdAt }, values) => values.every((value) => createdAt < parseMoment(value)),
  // a volume by its name, anything that is mounted by where
  volume: ({ mounts }, values) =>
    values.some((value) => mounts.some(({ name, source, destination }) => [name, source, destination].includes(value))),
};

const statuses = ["created", "running", "paused", "exited", "removing", "dead", "restarting"];

const healths = ["starting", "healthy", "unhealthy", "none"];

/** Those for which every filter holds; names in `before` and `since` are looked up in `all`. */
export function filterContainers(all: readonly ContainerInfo[], filters: ReadonlyMap<string, readonly string[]>): readonly ContainerInfo[] {
  const unknown = filters.get("status")?.find((status) => !statuses.includes(status));
  if (unknown !== undefined)
    throw new RamekinError("INVALID_ARGUMENT", `invalid filter 'status=${unknown}'`, { hint: `known are ${statuses.join(", ")}` });
  const health = filters.get("health")?.find((value) => !healths.includes(value));
  if (health !== undefined)
    throw new RamekinError("INVALID_ARGUMENT", `invalid filter 'health=${health}'`, { hint: `known are ${healths.join(", ")}` });
  for (const port of [...(filters.get("expose") ?? []), ...(filters.get("publish") ?? [])]) wantedPorts(port);
  const task = filters.get("is-task")?.find((value) => !/^(0|1|t|f|true|false)$/i.test(value));
  if (task !== undefined) throw new RamekinError("INVALID_ARGUMENT", `invalid filter 'is-task=${task}'`, { hint: "true or false" });
  const code = filters.get("exited")?.find((text) => !/^-?\d+$/.test(text));
  if (code !== undefined)
    throw new RamekinError("INVALID_ARGUMENT", `invalid filter 'exited=${code}'`, { hint: "an exit status, such as exited=137" });
  return all.filter((container) => [...filters].every(([key, values]) => tests[key as keyof typeof tests](container, values, all)));
}

/** `80`, `80/udp`, `8000-8010`. */
function wantedPorts(text: string): readonly string[] {
  try {
    return parsePorts(text);
  } catch {
    throw new RamekinError("INVALID_ARGUMENT", `no port to filter by: ${text}`, { hint: "PORT[-PORT][/tcp|udp|sctp]" });
  }
}

function named(name: string, all: readonly ContainerInfo[]): ContainerInfo {
  const found = all.find((container) => container.name === name) ?? all.find(({ id }) => id.startsWith(name));
  if (found === undefined) throw new RamekinError("NOT_FOUND", `no such container: ${name}`);
  return found;
}

/** A name without a tag stands for all tags. */
function sameImage(image: string, wanted: string): boolean {
  const have = familiar(image);
  const want = familiar(wanted);
  return have === want || (!/[:@]/.test(wanted.split("/").at(-1) as string) && have.startsWith(`${want.replace(/:latest$/, "")}:`));
}

/** Ids are no references; they stay as they are. */
function familiar(text: string): string {
  try {
    return familiarReference(parseReference(text));
  } catch {
    return text;
  }
}
