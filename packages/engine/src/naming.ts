import { RamekinError } from "@ramekin/core";

/** `error` with what it is about in front: a parser or a decoder knows what is wrong with bytes, but not whose they are. */
export function naming(what: string, error: unknown): unknown {
  if (!(error instanceof RamekinError) || error.message.includes(what)) return error;
  const { code, message, hint, errors } = error;
  return new RamekinError(code, `${what}: ${message}`, { cause: error, errors, ...(hint !== undefined && { hint }) });
}

/** The same for work that is done at once. */
export function named<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw naming(what, error);
  }
}
