import type { Completion } from "../verb.ts";

/** The commands that list what may stand in a place, one per line; run by the shell when somebody presses tab. */
export const candidates: Readonly<Record<Exclude<Completion, "file">, string>> = {
  container: "ramekin ps -a --format '{{.Names}}'",
  running: "ramekin ps --format '{{.Names}}'",
  stopped: "ramekin ps -a --filter status=exited --filter status=created --format '{{.Names}}'",
  image: "ramekin images --format '{{.Repository}}:{{.Tag}}'",
  volume: "ramekin volume ls -q",
};
