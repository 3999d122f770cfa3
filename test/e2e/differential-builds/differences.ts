import { olderDifferences } from "./older-differences.ts";
import type { Peer } from "./peers.ts";
import type { Aspect } from "./view.ts";

/** Where a peer is not meant to agree with us. Each must be true: what is listed and is the same fails, too. */
export interface Difference {
  readonly peers: readonly Peer[];
  readonly what: Aspect;
  /** Paths of the tree, fields of the configuration, numbers of the history's entries, or changes. All else is the same. Of an outcome none. */
  readonly at: readonly string[];
  readonly cases: readonly string[];
  readonly reason: string;
}

const recorded: readonly Peer[] = ["buildkit"];

/** The entry of the history that has a layer in BuildKit and none here. */
const emptyLayers = (at: number, ...names: readonly string[]): Difference => ({
  peers: recorded,
  what: "history",
  at: [String(at)],
  cases: names,
  reason: "a step that changes nothing makes no layer here, and an empty one in BuildKit",
});

const inTree = (name: string, at: readonly string[], reason: string): Difference => ({
  peers: recorded,
  what: "tree",
  at,
  cases: [name],
  reason,
});
const hardLinks =
  "a hard link of an archive is the file it leads to, with its owner and mode, whatever stands beside its name in the archive";
const traces = "BuildKit tells programs where to send traces of themselves: OTEL_TRACES_EXPORTER and its like, and TRACEPARENT";
const linked =
  "what is linked leaves directories on its way as they are; in BuildKit they become root's with 755, /tmp too, and links become directories";

export const differences: readonly Difference[] = [
  ...olderDifferences,
  emptyLayers(0, "copy-wildcard-nothing", "onbuild-kept", "run-nothing-changes", "stages-unused"),
  emptyLayers(1, "mount-cache-from", "run-network", "stopsignal"),
  emptyLayers(2, "mount-secret"),
  emptyLayers(3, "mount-cache"),
  emptyLayers(5, "workdir-chain"),
  inTree("add-archive-over-links", ["/real/bin/again"], hardLinks),
  inTree("add-archive-owner", ["/owned/bin/again"], hardLinks),
  inTree("add-archives", ["/bz2/bin/again", "/gz/bin/again", "/tar/bin/again", "/xz/bin/again"], hardLinks),
  inTree("add-unpack", ["/unpacked/bin/again"], hardLinks),
  inTree("env-forms", ["/seen"], traces),
  inTree("run-environment", ["/names"], traces),
  { peers: recorded, what: "outcome", at: [], cases: ["directive-syntax"], reason: "BuildKit pulls the frontend; here it is built in" },
  inTree("mount-ssh-absent", ["/seen"], "without an agent, BuildKit names a socket that is not there"),
  {
    peers: recorded,
    what: "changes",
    at: ["nothing"],
    cases: ["add-url", "add-url-flags"],
    reason: "a server that names no version of a file is asked for it, and the same bytes are the same step",
  },
  inTree(
    "copy-from-xattrs",
    ["/all/noted"],
    "user.* stays here, as everything of SCHILY.xattr; of attributes, BuildKit writes only security.capability into layers",
  ),
  inTree("copy-link-existing", ["/there", "/there/deep", "/tmp"], linked),
  inTree("copy-link-flag", ["/new", "/new/place"], linked),
  inTree("copy-link-over-link", ["/link"], linked),
  {
    peers: recorded,
    what: "outcome",
    at: [],
    cases: ["copy-chown-unknown"],
    reason: "a --chown that the files do not know is refused, as BuildKit's own reference has it; BuildKit gives it to root",
  },
  {
    peers: recorded,
    what: "outcome",
    at: [],
    cases: ["copy-several-to-name"],
    reason: "of several files the last would be all that is left",
  },
];
