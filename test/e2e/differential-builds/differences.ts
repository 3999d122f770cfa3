import type { Aspect } from "./view.ts";

export type Peer = "buildkit" | "dockerd" | "classic" | "buildah";

/** Where a peer is not meant to agree with us. Each must be true: what is listed and is the same fails, too. */
export interface Difference {
  readonly peers: readonly Peer[];
  readonly what: Aspect;
  readonly cases: readonly string[];
  readonly reason: string;
}

const recorded: readonly Peer[] = ["buildkit"];

export const differences: readonly Difference[] = [
  {
    peers: recorded,
    what: "history",
    cases: [
      ...["copy-wildcard-nothing", "mount-cache-from", "mount-cache", "mount-secret", "onbuild-kept", "run-network"],
      ...["run-nothing-changes", "stages-unused", "stopsignal", "workdir-chain"],
    ],
    reason: "a step that changes nothing makes no layer here, and an empty one in BuildKit",
  },
  {
    peers: recorded,
    what: "tree",
    cases: ["add-archive-over-links", "add-archive-owner", "add-archives", "add-unpack"],
    reason: "a hard link of an archive is the file it leads to, with its owner and mode, whatever stands beside its name in the archive",
  },
  {
    peers: recorded,
    what: "tree",
    cases: ["env-forms", "run-environment"],
    reason: "open: what env prints in a RUN is more in BuildKit than here; which variables, nobody has looked yet",
  },
  { peers: recorded, what: "outcome", cases: ["directive-syntax"], reason: "BuildKit pulls the frontend; here it is built in" },
  { peers: recorded, what: "tree", cases: ["mount-ssh-absent"], reason: "without an agent, BuildKit names a socket that is not there" },
  {
    peers: recorded,
    what: "changes",
    cases: ["add-url", "add-url-flags"],
    reason: "a server that names no version of a file is asked for it, and the same bytes are the same step",
  },
  { peers: recorded, what: "tree", cases: ["copy-chmod", "heredoc-copy"], reason: "open: folders on the way get --chmod in BuildKit" },
  {
    peers: recorded,
    what: "tree",
    cases: ["copy-chown"],
    reason: "open: --chown=UID has the group 0 here, and that of the number in BuildKit",
  },
  { peers: recorded, what: "tree", cases: ["copy-exclude"], reason: "open: *.txt also excludes a source named by itself here" },
  {
    peers: recorded,
    what: "tree",
    cases: ["copy-over-links"],
    reason: "open: a link at the destination of one file is replaced here, and followed by BuildKit",
  },
  {
    peers: recorded,
    what: "tree",
    cases: ["copy-from-xattrs"],
    reason: "open: user.* goes with a copy from a stage here, and is lost in BuildKit",
  },
  {
    peers: recorded,
    what: "outcome",
    cases: ["copy-chown-unknown"],
    reason: "open: an unknown --chown is refused here, and root in BuildKit",
  },
  { peers: recorded, what: "outcome", cases: ["copy-several-to-name"], reason: "open: several sources need a folder with a slash here" },
  {
    peers: recorded,
    what: "outcome",
    cases: ["copy-user"],
    reason: "open: WORKDIR after USER belongs to root here, as docker says, and to the user in BuildKit",
  },
];
