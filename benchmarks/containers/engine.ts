/** What a command-line engine, or a bare runtime, can do with containers of the bench image; each by one process. */
export interface ContainerEngine {
  readonly name: string;
  /** Why it cannot take part here. */
  readonly absent?: string;
  open(): Promise<unknown>;
  /** Everything that it has made is gone afterwards. */
  close(): Promise<unknown>;
  /** Create → exit of `true` → gone. */
  run(): Promise<unknown>;
  /** One that sleeps, in the background. */
  start(name: string): Promise<unknown>;
  exec(name: string): Promise<unknown>;
  /** One that is made and not started; bare runtimes have no list that is worth it. */
  create?(name: string): Promise<unknown>;
  /** All of them. */
  list?(): Promise<unknown>;
  /** The host's pid of its first process. */
  pid(name: string): Promise<number>;
}
