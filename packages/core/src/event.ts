/** One line of a journal, without its time. */
export interface JournalEvent {
  readonly type: string;
  readonly action: string;
  readonly id: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/**
 * Where a supervisor writes down what happens to its container while nobody is there: `start`, `die`, `oom`, `exec_start`,
 * `exec_die` and the like. A directory that many processes append lines of JSON to; the engine's `store/journal.ts` says how.
 */
export interface EventJournal {
  readonly directory: string;
  /** With every event of this container: its image, name and labels. */
  readonly attributes: Readonly<Record<string, string>>;
}
