import { join } from "node:path";
import { busyboxImage, canonical, succeed } from "../../support/index.ts";
import type { Peer } from "./peers.ts";

/** What a build has come to, told so that the images of different builders can be compared. */
export interface View {
  readonly outcome: "built" | "refused";
  readonly config: Readonly<Record<string, unknown>>;
  /** Of the steps after the base: `+` where a layer was made, `-` where none was. */
  readonly history: readonly string[];
  /** Of what differs from the base. */
  readonly tree: Readonly<Record<string, unknown>>;
  /** After each change of the case: the steps that were not found in the cache. */
  readonly changes: Readonly<Record<string, readonly string[]>>;
}

export const aspects = ["outcome", "config", "history", "tree", "changes"] as const;
export type Aspect = (typeof aspects)[number];

export const refused: View = { outcome: "refused", config: {}, history: [], tree: {}, changes: {} };

interface Judged {
  readonly config: {
    readonly config?: Readonly<Record<string, unknown>>;
    readonly author?: string;
    readonly history?: readonly { readonly created_by?: string; readonly empty_layer?: boolean }[];
  };
  readonly tree: Readonly<Record<string, unknown>>;
}

const fields = ["Env", "Cmd", "Entrypoint", "WorkingDir", "User", "ExposedPorts", "Volumes", "Labels", "StopSignal"];
const dockers = ["Healthcheck", "OnBuild", "Shell"];

/** The images of the archives and layouts at `paths`, by their names without registry and tag. */
export async function viewsIn(paths: readonly string[], port: string): Promise<ReadonlyMap<string, Omit<View, "changes">>> {
  const judge = join(import.meta.dirname, "../../support/image-tree.py");
  const { folder } = await busyboxImage();
  const { stdout } = await succeed(["python3", judge, folder, canonical("busybox"), ...paths], { timeout: 240_000 });
  const views = new Map<string, Omit<View, "changes">>();
  for (const [name, { config, tree }] of Object.entries(JSON.parse(stdout) as Record<string, Judged>)) {
    const own = (config.history ?? []).filter(({ created_by = "" }) => !created_by.startsWith("umoci "));
    views.set(name.replace(/^.*\//, "").replace(/:latest$/, ""), {
      outcome: "built",
      config: configOf(config),
      history: own.map(({ created_by = "", empty_layer = false }) => `${empty_layer ? "-" : "+"} ${created_by.replaceAll(port, "PORT")}`),
      tree,
    });
  }
  return views;
}

/** What says nothing is left out: null, the empty string, and empty lists, of which builders have each their own. */
function configOf({ config = {}, author }: Judged["config"]): Record<string, unknown> {
  const all = { ...Object.fromEntries([...fields, ...dockers].map((name) => [name, config[name]])), Author: author };
  const says = ([, value]: readonly [string, unknown]) =>
    value !== undefined && value !== null && value !== "" && !(typeof value === "object" && Object.keys(value).length === 0);
  return Object.fromEntries(Object.entries(all).filter(says));
}

const instruction =
  /^(?:ADD|ARG|CMD|COPY|ENTRYPOINT|ENV|EXPOSE|HEALTHCHECK|LABEL|MAINTAINER|ONBUILD|RUN|SHELL|STOPSIGNAL|USER|VOLUME|WORKDIR) /;

/** What of it can be held against a peer's, with keys in order. */
export function comparable(all: View, peer: Peer): View {
  const { history, changes, ...view } = peer === "classic" || peer === "buildah" ? withoutTraces(all) : all;
  // Only a current BuildKit writes history and titles of steps as we do; of the others it is the shape, and how many steps.
  if (peer === "buildkit") return sorted({ ...view, history, changes });
  const counted = Object.entries(changes).map(([what, steps]) => [what, [`${steps.length} steps`]] as const);
  return sorted({ ...view, history: shape(history), changes: Object.fromEntries(counted) });
}

/** What a container was mounted on stays in buildah's images; neither it nor the classic builder writes down that / is where work is done. */
function withoutTraces({ tree, config, ...view }: View): View {
  const { WorkingDir, ...rest } = config;
  const isTrace = ([path, entry]: readonly [string, unknown]) => {
    const { size, mode } = entry as { readonly size?: number; readonly mode?: string };
    return mode === "755" && (path === "/run" || (/^\/etc\/(?:hosts|hostname|resolv\.conf)$/.test(path) && size === 0));
  };
  const kept = Object.entries(tree).filter((entry) => !isTrace(entry));
  return { ...view, tree: Object.fromEntries(kept), config: WorkingDir === "/" ? rest : config };
}

/** So that a comparison as text is one of meaning. */
function sorted<T>(value: T): T {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value).map(([key, inner]) => [key, sorted(inner)] as const);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1))) as T;
}

/** `+ RUN /bin/sh -c x # buildkit` and `+ /bin/sh -c x` are both `+ RUN`; `- /bin/sh -c #(nop) ENV A=b` and `- ENV A=b` are `- ENV`. */
export function shape(history: readonly string[]): readonly string[] {
  return history.map((line) => {
    const text = line.slice(2);
    const keyword = /#\(nop\)\s+(\w+)/.exec(text)?.[1] ?? (instruction.test(text) ? text.split(" ", 1)[0] : "RUN");
    return `${line.slice(0, 2)}${keyword}`;
  });
}
