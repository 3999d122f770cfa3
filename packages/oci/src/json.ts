import { RamekinError } from "@ramekin/core";

/** What JSON.parse gives, before anybody has looked at it. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** UTF-8 JSON with an object at the top. DATA_LOSS otherwise, RESOURCE_EXHAUSTED above `maxSize` bytes. */
export function parseJsonObject(bytes: Uint8Array, what: string, maxSize: number): JsonObject {
  if (bytes.byteLength > maxSize) {
    throw new RamekinError("RESOURCE_EXHAUSTED", `${what} has ${bytes.byteLength} bytes, the limit is ${maxSize}`);
  }
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new RamekinError("DATA_LOSS", `${what} is not json`, { cause });
  }
  if (!isObject(value)) throw new RamekinError("DATA_LOSS", `${what} is not a json object`);
  return value;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Go writes null for an empty slice, map or pointer: the same as absent. */
export function present(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** A copy without the fields that are null. */
export function withoutNulls(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null));
}

/** Collects violations, so that a document is put right in one round and not in five. */
export class Violations {
  readonly #what: string;
  readonly #errors: RamekinError[] = [];

  constructor(what: string) {
    this.#what = what;
  }

  add(where: string, why: string): void {
    this.#errors.push(new RamekinError("DATA_LOSS", `${where}: ${why}`));
  }

  /** DATA_LOSS with all of them in `errors`, if there are any. */
  throw(): void {
    const [first] = this.#errors;
    if (!first) return;
    const more = this.#errors.length > 1 ? ` (and ${this.#errors.length - 1} more)` : "";
    throw new RamekinError("DATA_LOSS", `${this.#what} is invalid: ${first.message}${more}`, { errors: this.#errors });
  }
}
