import { type ErrorCode, isRamekinError, RamekinError } from "./errors.ts";

/**
 * Everything that is wrong with a request, to be told at once: who asks for five things and gets two of them wrong should not
 * have to ask three times.
 */
export class Objections {
  readonly #errors: RamekinError[] = [];

  get count(): number {
    return this.#errors.length;
  }

  add(code: ErrorCode, message: string, hint?: string): void {
    this.#errors.push(new RamekinError(code, message, hint === undefined ? {} : { hint }));
  }

  /** What `read` returns; undefined when it objects. */
  hear<T>(read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      this.#take(error);
      return undefined;
    }
  }

  /** What `read` makes of each, without those that it objects to. */
  each<T, R>(all: readonly T[], read: (one: T) => R): R[] {
    return all.flatMap((one) => this.hear(() => [read(one)]) ?? []);
  }

  /** As `hear`, of something that takes time. */
  async await<T>(work: Promise<T>): Promise<T | undefined> {
    try {
      return await work;
    } catch (error) {
      this.#take(error);
      return undefined;
    }
  }

  /** `Promise.all` that hears everybody out, then raises. */
  async all<T extends readonly unknown[]>(...work: { [Index in keyof T]: Promise<T[Index]> | T[Index] }): Promise<T> {
    const results = await Promise.all(work.map((each) => this.await(Promise.resolve(each))));
    this.raise();
    return results as unknown as T;
  }

  /** Throws when there is anything: one objection as it is, more as one error that lists them. */
  raise(): void {
    const [first, ...more] = this.#errors;
    if (first === undefined) return;
    if (more.length === 0) throw first;
    const code = more.every((error) => error.code === first.code) ? first.code : "INVALID_ARGUMENT";
    throw new RamekinError(code, `${this.#errors.length} things are wrong with this request`, { errors: this.#errors });
  }

  /** A failure that is no objection, such as a defect, ends the hearing. */
  #take(error: unknown): void {
    if (!isRamekinError(error)) throw error;
    this.#errors.push(...(error.errors.length > 0 ? error.errors : [error]));
  }
}
