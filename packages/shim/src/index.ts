export { type ShimOptions, shimIsolation } from "./backend.ts";
export { type Cgroup, findCgroup } from "./cgroup.ts";
export type { RunDirectory, ShimFile } from "./run-directory.ts";
export { signalNumber } from "./signal.ts";
export { readStateFile, type SupervisedState } from "./state-file.ts";
export { supervisorUserns } from "./userns.ts";
