/** By path: `process.env[PATH]`, `mounts[/proc]`, `linux.resources.memory.limit`; the values as JSON. */
export type Leaves = ReadonlyMap<string, string>;

/** What names the elements of a list, where they have a name: the first of these that is there. */
const names = ["destination", "type", "path", "name", "containerID"] as const;

/** Lists whose order means something, and parts that nobody takes apart. */
const wholes = new Set(["process.args", "linux.seccomp", "process.user", "process.consoleSize"]);

/** The parts of an OCI runtime specification, so that two of them can be compared. */
export function leavesOf(spec: object): Leaves {
  const leaves = new Map<string, string>();
  visit("", spec, leaves);
  return leaves;
}

function visit(path: string, value: unknown, leaves: Map<string, string>): void {
  if (value === undefined) return;
  if (typeof value !== "object" || value === null || wholes.has(path)) leaves.set(path, JSON.stringify(value));
  else if (Array.isArray(value)) for (const [index, each] of value.entries()) leaves.set(`${path}[${nameOf(each, index)}]`, textOf(each));
  else for (const [key, each] of Object.entries(value)) visit(path === "" ? key : `${path}.${key}`, each, leaves);
}

/** Variables by their name, words by themselves, objects by what names them. */
function nameOf(element: unknown, index: number): string {
  if (typeof element === "string") return /^([A-Za-z_][A-Za-z0-9_]*)=/.exec(element)?.[1] ?? element;
  if (typeof element !== "object" || element === null) return String(index);
  const fields = element as Readonly<Record<string, unknown>>;
  if ("major" in fields && !("path" in fields)) return `${fields["type"]} ${fields["major"]}:${fields["minor"] ?? "*"}`;
  const name = names.find((each) => typeof fields[each] === "string");
  return name === undefined ? String(index) : String(fields[name]);
}

const textOf = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));
