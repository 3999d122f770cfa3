import { RamekinError } from "@ramekin/core";
import { parseDuration } from "./duration.ts";

/** A point in time as `logs --since` takes it: RFC 3339 or a part of it, Unix seconds, or a duration back from `now`. */
export function parseMoment(text: string, now = new Date()): Date {
  const duration = parseDuration(text);
  if (duration !== undefined) return new Date(now.getTime() - duration);
  if (/^\d+(\.\d+)?$/.test(text)) return new Date(Number(text) * 1000);
  const match = /^(\d{4}-\d{2}-\d{2})(?:T(\d{2})(?::(\d{2})(?::(\d{2}(?:\.\d+)?))?)?)?(Z|[+-]\d{2}:\d{2})?$/.exec(text);
  if (match !== null) {
    const [, day, hour = "00", minute = "00", second = "00", zone = ""] = match;
    // without a zone Docker means the client's
    const date = new Date(`${day}T${hour}:${minute}:${second}${zone}`);
    if (!Number.isNaN(date.getTime())) return date;
  }
  throw new RamekinError("INVALID_ARGUMENT", `no time that can be read: ${text}`, {
    hint: "2026-01-02T13:23:37Z, Unix seconds, or a duration such as 42m",
  });
}
