import type { Healthcheck } from "@ramekin/oci";

/** How Go's fmt prints things, for the `created_by` of history entries: what people see and compare in `docker history`. */
export const list = (values: readonly string[]): string => `[${values.join(" ")}]`;

export const quotedList = (values: readonly string[]): string => list(values.map(quoted));

/** strconv.Quote: JSON's, but for control characters. */
export function quoted(text: string): string {
  return JSON.stringify(text).replace(/\\u00([0-9a-f]{2})|\u007f/g, (_, hex: string | undefined) => `\\x${hex ?? "7f"}`);
}

export function healthcheckText({
  Test = [],
  Interval = 0,
  Timeout = 0,
  StartPeriod = 0,
  StartInterval = 0,
  Retries = 0,
}: Healthcheck): string {
  const [interval, timeout, period, between] = [Interval, Timeout, StartPeriod, StartInterval].map(duration);
  return `{Test:${list(Test)} Interval:${interval} Timeout:${timeout} StartPeriod:${period} StartInterval:${between} Retries:${Retries}}`;
}

/** time.Duration's String: `1m30s`, `500ms`, `1h0m0s`. */
export function duration(nanoseconds: number): string {
  if (nanoseconds === 0) return "0s";
  if (nanoseconds < 1e3) return `${nanoseconds}ns`;
  if (nanoseconds < 1e6) return `${nanoseconds / 1e3}µs`;
  if (nanoseconds < 1e9) return `${nanoseconds / 1e6}ms`;
  const hours = Math.floor(nanoseconds / 3600e9);
  const minutes = Math.floor((nanoseconds % 3600e9) / 60e9);
  const seconds = (nanoseconds % 60e9) / 1e9;
  return `${hours > 0 ? `${hours}h` : ""}${hours > 0 || minutes > 0 ? `${minutes}m` : ""}${seconds}s`;
}

/** A RUN with the arguments that it was run with: `|1 A=b /bin/sh -c make`. */
export function runText(command: readonly string[], buildArgs: readonly (readonly [name: string, value: string])[]): string {
  const given = [...new Map(buildArgs)].map(([name, value]) => `${name}=${value}`);
  return [...(given.length > 0 ? [`|${given.length}`, ...given] : []), ...command].join(" ");
}
