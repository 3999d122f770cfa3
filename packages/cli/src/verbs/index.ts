import { topics } from "../topics.ts";
import type { Verb } from "../verb.ts";

export { topics } from "../topics.ts";

export interface VerbEntry {
  /** All the ways to type it, words separated by a space; the first is its name. */
  readonly paths: readonly [string, ...string[]];
  /** Loads the declaration, and nothing else. */
  load(): Promise<Verb>;
}

export const verbEntries: readonly VerbEntry[] = [
  { paths: ["attach", "container attach"], load: async () => (await import("./attach.ts")).default },
  { paths: ["build", "image build", "builder build", "buildx build"], load: async () => (await import("./build.ts")).default },
  { paths: ["builder du", "buildx du"], load: async () => (await import("./builder-du.ts")).default },
  { paths: ["builder prune", "buildx prune"], load: async () => (await import("./builder-prune.ts")).default },
  { paths: ["commit", "container commit"], load: async () => (await import("./commit.ts")).default },
  { paths: ["completion"], load: async () => (await import("./completion.ts")).default },
  { paths: ["container inspect"], load: async () => (await import("./container-inspect.ts")).default },
  { paths: ["container prune"], load: async () => (await import("./container-prune.ts")).default },
  { paths: ["cp", "container cp"], load: async () => (await import("./cp.ts")).default },
  { paths: ["create", "container create"], load: async () => (await import("./create.ts")).default },
  { paths: ["diff", "container diff"], load: async () => (await import("./diff.ts")).default },
  { paths: ["doctor", "system doctor"], load: async () => (await import("./doctor.ts")).default },
  { paths: ["events", "system events"], load: async () => (await import("./events.ts")).default },
  { paths: ["exec", "container exec"], load: async () => (await import("./exec.ts")).default },
  { paths: ["explain", "container explain"], load: async () => (await import("./explain.ts")).default },
  { paths: ["export", "container export"], load: async () => (await import("./export.ts")).default },
  { paths: ["export-image", "image export"], load: async () => (await import("./export-image.ts")).default },
  { paths: ["healthcheck run"], load: async () => (await import("./healthcheck-run.ts")).default },
  { paths: ["fork", "container fork"], load: async () => (await import("./fork.ts")).default },
  { paths: ["history", "image history"], load: async () => (await import("./history.ts")).default },
  { paths: ["image diff"], load: async () => (await import("./image-diff.ts")).default },
  { paths: ["image inspect"], load: async () => (await import("./image-inspect.ts")).default },
  { paths: ["image mount"], load: async () => (await import("./image-mount.ts")).default },
  { paths: ["image prune"], load: async () => (await import("./image-prune.ts")).default },
  { paths: ["image squash"], load: async () => (await import("./image-squash.ts")).default },
  { paths: ["image tree"], load: async () => (await import("./image-tree.ts")).default },
  { paths: ["image unmount", "image umount"], load: async () => (await import("./image-unmount.ts")).default },
  { paths: ["images", "image ls", "image list"], load: async () => (await import("./images.ts")).default },
  { paths: ["import", "image import"], load: async () => (await import("./import.ts")).default },
  { paths: ["info", "system info"], load: async () => (await import("./info.ts")).default },
  { paths: ["inspect"], load: async () => (await import("./inspect.ts")).default },
  { paths: ["kill", "container kill"], load: async () => (await import("./kill.ts")).default },
  { paths: ["load", "image load"], load: async () => (await import("./load.ts")).default },
  { paths: ["login"], load: async () => (await import("./login.ts")).default },
  { paths: ["logout"], load: async () => (await import("./logout.ts")).default },
  { paths: ["logs", "container logs"], load: async () => (await import("./logs.ts")).default },
  { paths: ["manifest annotate"], load: async () => (await import("./manifest-annotate.ts")).default },
  { paths: ["manifest create"], load: async () => (await import("./manifest-create.ts")).default },
  { paths: ["manifest inspect"], load: async () => (await import("./manifest-inspect.ts")).default },
  { paths: ["manifest push"], load: async () => (await import("./manifest-push.ts")).default },
  { paths: ["manifest rm"], load: async () => (await import("./manifest-rm.ts")).default },
  { paths: ["pause", "container pause"], load: async () => (await import("./pause.ts")).default },
  { paths: ["port", "container port"], load: async () => (await import("./port.ts")).default },
  { paths: ["ps", "container ls", "container list", "container ps"], load: async () => (await import("./ps.ts")).default },
  { paths: ["pull", "image pull"], load: async () => (await import("./pull.ts")).default },
  { paths: ["push", "image push"], load: async () => (await import("./push.ts")).default },
  { paths: ["referrers", "image referrers"], load: async () => (await import("./referrers.ts")).default },
  { paths: ["rename", "container rename"], load: async () => (await import("./rename.ts")).default },
  { paths: ["reset", "container reset"], load: async () => (await import("./reset.ts")).default },
  { paths: ["restart", "container restart"], load: async () => (await import("./restart.ts")).default },
  { paths: ["rm", "container rm", "container remove"], load: async () => (await import("./rm.ts")).default },
  { paths: ["rmi", "image rm", "image remove"], load: async () => (await import("./rmi.ts")).default },
  { paths: ["run", "container run"], load: async () => (await import("./run.ts")).default },
  { paths: ["save", "image save"], load: async () => (await import("./save.ts")).default },
  { paths: ["search"], load: async () => (await import("./search.ts")).default },
  { paths: ["secret create"], load: async () => (await import("./secret-create.ts")).default },
  { paths: ["secret inspect"], load: async () => (await import("./secret-inspect.ts")).default },
  { paths: ["secret ls", "secret list"], load: async () => (await import("./secret-ls.ts")).default },
  { paths: ["secret rm", "secret remove"], load: async () => (await import("./secret-rm.ts")).default },
  { paths: ["start", "container start"], load: async () => (await import("./start.ts")).default },
  { paths: ["stats", "container stats"], load: async () => (await import("./stats.ts")).default },
  { paths: ["stop", "container stop"], load: async () => (await import("./stop.ts")).default },
  { paths: ["system df"], load: async () => (await import("./system-df.ts")).default },
  { paths: ["system fsck"], load: async () => (await import("./system-fsck.ts")).default },
  { paths: ["system prune"], load: async () => (await import("./system-prune.ts")).default },
  { paths: ["system service"], load: async () => (await import("./system-service.ts")).default },
  { paths: ["system start-all"], load: async () => (await import("./system-start-all.ts")).default },
  { paths: ["tag", "image tag"], load: async () => (await import("./tag.ts")).default },
  { paths: ["top", "container top"], load: async () => (await import("./top.ts")).default },
  { paths: ["unpause", "container unpause"], load: async () => (await import("./unpause.ts")).default },
  { paths: ["update", "container update"], load: async () => (await import("./update.ts")).default },
  { paths: ["version"], load: async () => (await import("./version.ts")).default },
  { paths: ["volume create"], load: async () => (await import("./volume-create.ts")).default },
  { paths: ["volume export"], load: async () => (await import("./volume-export.ts")).default },
  { paths: ["volume import"], load: async () => (await import("./volume-import.ts")).default },
  { paths: ["volume inspect"], load: async () => (await import("./volume-inspect.ts")).default },
  { paths: ["volume ls", "volume list"], load: async () => (await import("./volume-ls.ts")).default },
  { paths: ["volume prune"], load: async () => (await import("./volume-prune.ts")).default },
  { paths: ["volume rm", "volume remove"], load: async () => (await import("./volume-rm.ts")).default },
  { paths: ["wait", "container wait"], load: async () => (await import("./wait.ts")).default },
];

export interface FoundVerb {
  readonly entry: VerbEntry;
  /** How many words named it. */
  readonly length: number;
}

export function findVerb(words: readonly string[]): FoundVerb | undefined {
  const length = Object.hasOwn(topics, words[0] ?? "") ? 2 : 1;
  const path = words.slice(0, length).join(" ");
  const entry = verbEntries.find(({ paths }) => paths.includes(path));
  return entry && { entry, length };
}

export function pathsOf(name: string): readonly string[] {
  return verbEntries.find(({ paths }) => paths[0] === name)?.paths ?? [name];
}

/** All of them: for help, completion and the documentation. */
export function loadVerbs(): Promise<Verb[]> {
  return Promise.all(verbEntries.map((entry) => entry.load()));
}
