import type { Difference } from "./differences.ts";
import type { Peer } from "./peers.ts";
import type { Aspect } from "./view.ts";

type Places = Readonly<Record<string, readonly string[]>>;

const listed = (peers: readonly Peer[], what: Aspect, reason: string, places: Places): readonly Difference[] =>
  Object.entries(places).map(([name, at]) => ({ peers, what, at, cases: [name], reason }));

const outcome = (peers: readonly Peer[], reason: string, ...cases: readonly string[]): Difference => ({
  peers,
  what: "outcome",
  at: [],
  cases,
  reason,
});

const all = ["dockerd", "classic", "buildah"] as const;

/** What these do not know came to the language after them; a current BuildKit's answer is the one that is held against ours. */
const unknown: readonly Difference[] = [
  outcome(all, "--unpack is younger", "add-unpack"),
  outcome(all, "--checksum is younger", "add-url-flags"),
  outcome(all, "--link is younger", "copy-link-existing", "copy-link-flag", "copy-link-over-link"),
  outcome(all, "--parents and --exclude are younger", "copy-exclude", "copy-parents", "copy-parents-pivot", "copy-parents-wildcards"),
  outcome(all, "expansion with patterns, and modifiers without a colon, are younger", "expansion-patterns", "expansion-unset-modifiers"),
  outcome(all, "--start-interval is younger", "healthcheck-start-interval"),
  outcome(all, "heredocs are younger", "heredoc-add", "heredoc-copy", "heredoc-run", "heredoc-run-redirected", "heredoc-run-shebang"),
  outcome(all, "RUN --network and --security are younger", "run-network", "run-security"),
  outcome(all, "relative targets of mounts, and secrets as variables, are younger", "mount-bind", "mount-secret-env"),
  outcome(["classic"], "mounts are BuildKit's", "mount-bind-stage", "mount-cache", "mount-cache-from", "mount-secret", "mount-tmpfs"),
  outcome(["classic"], "mounts are BuildKit's", "mount-ssh-absent"),
  outcome(["classic"], "--chmod is BuildKit's", "copy-chmod", "copy-chmod-symbolic", "copy-from-chown"),
  outcome(["classic"], "platforms as arguments are BuildKit's", "arg-platform"),
  outcome(["buildah"], "--chmod takes octal numbers", "copy-chmod-symbolic"),
  outcome(["buildah"], "names of stages have their case", "from-as-cases"),
  outcome(["buildah"], "another escape is for line ends only", "escape-directive"),
];

const outcomes: readonly Difference[] = [
  outcome(["dockerd", "classic"], "an image without layers cannot be saved by docker, and so not be compared", "from-nothing-added"),
  outcome(["dockerd"], "the frontend is pulled; here it is built in", "directive-syntax"),
  outcome(["dockerd"], "a file where a pattern has a directory is an error in 20.10", "copy-wildcards"),
  outcome(["dockerd"], "a --chown that the files do not know is refused, as BuildKit's reference has it", "copy-chown-unknown"),
  outcome(["dockerd", "buildah"], "of several files the last would be all that is left", "copy-several-to-name"),
  outcome(["classic"], "a name without a group is looked up as a group, too", "copy-chown"),
  outcome(["classic"], "WORKDIR is root's whatever USER says", "copy-user"),
  outcome(["classic"], "what leads out of the context is refused; in BuildKit it stays inside", "copy-above-context"),
  outcome(["classic", "buildah"], "a pattern that nothing matches is refused", "copy-wildcard-nothing"),
  outcome(["classic"], "a name that is a later stage's is looked for among images", "error-same-stage-later"),
  outcome(["classic"], "every stage is built", "stages-unused"),
  outcome(["buildah"], "a pattern that matches [ by itself finds nothing", "copy-wildcard-literal", "copy-wildcards"),
  outcome(["buildah"], "files stay where a tmpfs was mounted over them only in the step", "mount-tmpfs"),
  outcome(["buildah"], "protocols of EXPOSE are not looked at", "error-bad-port"),
  outcome(["buildah"], "stages can be asked for by number", "stages-target-number"),
];

const links = "a hard link of an archive is the file it leads to, with its owner and mode, whatever stands beside its name in the archive";
const owners = "--chown does not count for what an archive holds; in a current BuildKit it does";
const setId = "set-id bits of the context are dropped on its way to the builder";
const keyed = "every instruction is in the key of those after it; here, as in BuildKit, what makes no files is not";
const inLabels = "--label is an instruction of the history";
const triggers = "ONBUILD is in the history, also of who inherits it; BuildKit writes down what it adds to the image";
const volume = "what a step writes to a volume is thrown away";
const byStep = "an ARG ends with its stage; in BuildKit a stage begins with those of the stage that it is made from";
const precedence = "ENV stands above a later ARG; in BuildKit the later one counts";
const byDirectory = ["/owned/bin", "/owned/bin/again", "/owned/bin/short", "/owned/closed", "/owned/plain", "/owned/setuid"];
const onTheWay = "folders on the way have 755 whatever --chmod says; in a current BuildKit they have its mode";
const fourArchives = ["/bz2/bin/again", "/gz/bin/again", "/tar/bin/again", "/xz/bin/again"];
const idle = "a step that changes nothing makes no layer here, and an empty one there";
const mountedOn = "what was made to be mounted on stays in the image";
const noLayer = "WORKDIR makes its directory when a step runs in it, and no layer of its own";

const trees: readonly Difference[] = [
  ...listed(all, "tree", links, { "add-archive-over-links": ["/real/bin/again"], "add-archives": fourArchives }),
  ...listed(["dockerd", "buildah"], "tree", owners, { "add-archive-owner": byDirectory }),
  ...listed(["classic"], "tree", owners, { "add-archive-owner": ["/owned", ...byDirectory] }),
  ...listed(["dockerd", "buildah"], "tree", onTheWay, { "copy-chmod": ["/a"] }),
  ...listed(["dockerd"], "tree", "--chmod with letters is younger, and passed over", { "copy-chmod-symbolic": ["/b", "/c"] }),
  ...listed(["dockerd"], "tree", "named pipes are not copied", { "copy-from-stage": ["/followed/fifo", "/whole/fifo"] }),
  ...listed(["dockerd", "classic"], "tree", "user.* stays here, and is left out there", { "copy-from-xattrs": ["/all/noted"] }),
  ...listed(["dockerd"], "tree", "a directory of which all is ignored is copied when a file that is not there is excepted", {
    "copy-ignored": ["/dir/sub/deep"],
  }),
  ...listed(["dockerd"], "tree", mountedOn, {
    "mount-bind-stage": ["/all"],
    "mount-cache": ["/again", "/cache", "/locked", "/owned"],
    "mount-cache-from": ["/cache", "/ro"],
    "mount-secret": ["/run", "/run/secrets"],
  }),
  ...listed(["buildah"], "tree", mountedOn, { "mount-secret": ["/run/secrets"] }),
  ...listed(["dockerd"], "tree", "without an agent, a socket is named that is not there", { "mount-ssh-absent": ["/seen"] }),
  ...listed(["dockerd"], "tree", "a user's first group is not among the groups of a process", {
    "user-forms": ["/tmp/a", "/tmp/b", "/tmp/c", "/tmp/d", "/tmp/e", "/tmp/f"],
  }),
  ...listed(["classic", "buildah"], "tree", precedence, { "arg-and-env": ["/seen"] }),
  ...listed(["classic", "buildah"], "tree", setId, {
    "copy-directories": ["/all/strange/f", "/all/suid.sh"],
    "copy-ignored": ["/suid.sh"],
    "copy-modes": ["/modes/strange/f", "/modes/suid.sh"],
  }),
  ...listed(["buildah"], "tree", setId, { "copy-ignored-by-file": ["/strange/f"] }),
  ...listed(["classic"], "tree", "an ignore file of the Dockerfile's own is BuildKit's; and set-id bits are dropped", {
    "copy-ignored-by-file": [
      ...["/dir", "/dir/link", "/dir/one", "/dir/other", "/dir/other/five", "/dir/sub", "/dir/sub/deep", "/dir/sub/deep/four.md"],
      ...["/dir/sub/three", "/dir/two", "/strange/f", "/suid.sh"],
    ],
  }),
  ...listed(["classic"], "tree", "a file is known by its content: the layer is one of an earlier build, in which it had another name", {
    "from-scratch": ["/hello.txt", "/link-to-file"],
  }),
  ...listed(["classic"], "tree", byStep, { "stages-chain": ["/tmp/seen"] }),
  ...listed(["classic", "buildah"], "tree", volume, { "volume-written": ["/data/after"] }),
  ...listed(["buildah"], "tree", "a link at the name of a file is replaced; BuildKit writes through it", {
    "copy-over-links": ["/file", "/filelink"],
  }),
  ...listed(["buildah"], "tree", noLayer, { "onbuild-triggered": ["/down"], "workdir-chain": ["/one/two", "/with space"] }),
  ...listed(["buildah"], "tree", "a file of buildah's own is in /run", { "run-volatile-places": ["/seen"] }),
  ...listed(["buildah"], "tree", `${byStep}; and the directory is the user's who runs the first step in it`, {
    "stages-chain": ["/tmp/refused", "/tmp/seen", "/work", "/work/mine"],
  }),
];

const histories: readonly Difference[] = [
  ...listed(["dockerd", "buildah"], "history", idle, {
    "mount-cache": ["3"],
    "mount-cache-from": ["1"],
    "mount-secret": ["2"],
    "run-nothing-changes": ["0"],
    "stages-unused": ["0"],
    stopsignal: ["1"],
  }),
  ...listed(["dockerd"], "history", idle, { "copy-wildcard-nothing": ["0"], "onbuild-kept": ["0"], "workdir-chain": ["5"] }),
  ...listed(["buildah"], "history", noLayer, {
    "copy-destinations": ["0"],
    "copy-user": ["2"],
    "expansion-everywhere": ["1"],
    "stages-chain": ["2"],
    "workdir-chain": ["0", "1", "2", "6"],
    "workdir-env": ["1"],
    "workdir-link": ["1"],
  }),
  ...listed(["classic", "buildah"], "history", inLabels, { "arg-given": ["4", "5"] }),
  ...listed(["classic", "buildah"], "history", triggers, {
    "onbuild-kept": ["0", "1", "2", "3", "4"],
    "onbuild-triggered": ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10"],
  }),
];

const others: readonly Difference[] = [
  ...listed(["classic"], "changes", keyed, { "cache-layers": ["a label"] }),
  ...listed(["buildah"], "changes", `${keyed}, and predefined arguments are`, { "cache-layers": ["a label", "a predefined argument"] }),
  ...listed(["buildah"], "config", "a variable that is set again goes to the end", { "env-forms": ["Env"], "env-order": ["Env"] }),
  ...listed(["buildah"], "config", "ranges of ports stay ranges", { "expose-forms": ["ExposedPorts"] }),
  ...listed(["buildah"], "config", "SHELL does not count for CMD and ENTRYPOINT", { "shell-changed": ["Cmd", "Entrypoint"] }),
];

/** Of Debian's dockerd 20.10, its BuildKit and its classic builder, and of its buildah 1.28. */
export const olderDifferences: readonly Difference[] = [...unknown, ...outcomes, ...trees, ...histories, ...others];
