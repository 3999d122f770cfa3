import { readFile } from "node:fs/promises";
import { type ContainerStatus, type ExitStatus, type Health, RamekinError } from "@ramekin/core";
import { exitOf, healthOf } from "./answer.ts";
import type { Message } from "./frame.ts";

/** What we read of the file that the supervisor keeps (ARCHITECTURE.md, "The state file"). */
export interface SupervisedState {
  readonly status: ContainerStatus;
  readonly pid?: number;
  readonly exit?: ExitStatus;
  readonly restartCount?: number;
  readonly health?: Health;
}

const statuses: ReadonlySet<string> = new Set<ContainerStatus>(["created", "running", "paused", "restarting", "stopped"]);

/** `undefined` when there is none (yet). */
export async function readStateFile(path: string): Promise<SupervisedState | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  try {
    return stateOf(JSON.parse(text) as Message);
  } catch (cause) {
    throw new RamekinError("DATA_LOSS", `not a state file: ${path}`, { cause });
  }
}

/** The file's content, as a file or as an answer. */
export function stateOf(value: Message): SupervisedState {
  const { status, pid, exit, restartCount } = value;
  if (typeof status !== "string" || !statuses.has(status)) throw new RamekinError("DATA_LOSS", `unknown status ${JSON.stringify(status)}`);
  const over = status === "stopped" || status === "restarting";
  const ended = over ? exitOf(exit) : undefined;
  const health = healthOf(value["health"]);
  return {
    status: status as ContainerStatus,
    ...(!over && typeof pid === "number" && { pid }),
    ...(ended && { exit: ended }),
    ...(typeof restartCount === "number" && { restartCount }),
    ...(health && { health }),
  };
}
