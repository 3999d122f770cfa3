import type { Cancellable } from "@ramekin/core";

/** One line of the journal: what some engine has done, or what a supervisor has seen. */
export interface EngineEvent {
  readonly time: Date;
  /** Since 1970, where the writer knew more than milliseconds too. */
  readonly timeNano: bigint;
  readonly type: "container" | "image" | "volume" | "network" | "builder";
  /**
   * Docker's words. Of containers: `attach commit copy create destroy detach die exec_create exec_detach exec_die exec_start export
   * health_status kill oom pause rename resize restart start stop top unpause update prune`, after some of them a colon and more
   * (`exec_start: ls -l`); of images: `delete import load mount pull push save tag unmount untag prune` and the like.
   */
  readonly action: string;
  /** Of the image, the container …; a volume's name; nothing where it is about many (`prune`). */
  readonly id: string;
  /** Of a container: its labels, `name`, `image`, and what the action adds, such as `exitCode`. */
  readonly attributes: Readonly<Record<string, string>>;
}

export interface EventOptions extends Cancellable {
  /** What happened from then on; absent: from the call on. */
  readonly since?: Date;
  /** Ends there, if need be by waiting for it; absent: with the engine. Alone: all that is known until then. */
  readonly until?: Date;
  readonly filters?: EventFilters;
}

/** Values of one key are alternatives, save labels, which must all be there; keys must all hold. */
export interface EventFilters {
  readonly type?: readonly string[];
  /** An action; without what follows its colon it stands for all with it. */
  readonly event?: readonly string[];
  /** Its name, its id, or the beginning of one. */
  readonly container?: readonly string[];
  /** An image's events, and those of containers of it; with or without a tag. */
  readonly image?: readonly string[];
  readonly volume?: readonly string[];
  readonly network?: readonly string[];
  /** `key` or `key=value`. */
  readonly label?: readonly string[];
}
