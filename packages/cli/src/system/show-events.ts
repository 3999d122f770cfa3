import type { EngineEvent, EventFilters } from "@ramekin/engine";
import type { Context } from "../context.ts";
import { parseFilters } from "../format/filters.ts";
import { shortId } from "../format/units.ts";
import { json } from "../template/functions.ts";
import { compileTemplate } from "../template/render.ts";
import { parseMoment } from "../values/moment.ts";

export interface EventsFlags {
  readonly filter: readonly string[];
  readonly format: string | undefined;
  readonly "no-trunc": boolean;
  readonly since: string | undefined;
  readonly stream: boolean;
  readonly until: string | undefined;
}

/** `ramekin events`. */
export async function showEvents(flags: EventsFlags, context: Context): Promise<number> {
  const filters = Object.fromEntries(
    parseFilters(flags.filter, ["container", "event", "image", "label", "network", "type", "volume"]),
  ) as EventFilters;
  const write = lineOf(flags.format, !flags["no-trunc"]);
  const since = flags.since === undefined ? undefined : parseMoment(flags.since);
  const until = flags.until === undefined ? (flags.stream ? undefined : new Date()) : parseMoment(flags.until);
  const engine = await context.engine();
  const events = engine.events({
    filters,
    signal: context.interruption.signal,
    ...(since && { since }),
    ...(until && { until }),
  });
  for await (const event of events) context.print(write(event));
  return 0;
}

function lineOf(format: string | undefined, short: boolean): (event: EngineEvent) => string {
  if (format === undefined || format === "") return (event) => plainLine(event, short);
  if (format === "json") return (event) => json(message(event));
  const render = compileTemplate(format);
  return (event) => render(message(event));
}

/** `2026-01-02T13:23:37.000000000+01:00 container start <id> (image=busybox, name=web)`. */
function plainLine({ timeNano, type, action, id, attributes }: EngineEvent, short: boolean): string {
  const known = Object.keys(attributes)
    .sort()
    .map((name) => `${name}=${attributes[name]}`);
  return `${localTime(timeNano)} ${type} ${action} ${short ? shortened(id) : id}${known.length > 0 ? ` (${known.join(", ")})` : ""}`;
}

/** Names, of volumes for example, stay whole. */
const shortened = (id: string) => (/^(sha256:)?[0-9a-f]{64}$/.test(id) ? shortId(id) : id);

const second = 1_000_000_000n;

/** RFC 3339 with nine digits, in the zone of who reads it. */
function localTime(timeNano: bigint): string {
  const date = new Date(Number(timeNano / 1_000_000n));
  const east = -date.getTimezoneOffset();
  const shifted = new Date(date.getTime() + east * 60_000).toISOString().slice(0, 19);
  const two = (value: number) => String(Math.floor(Math.abs(value))).padStart(2, "0");
  const zone = east === 0 ? "Z" : `${east < 0 ? "-" : "+"}${two(east / 60)}:${two(Math.abs(east) % 60)}`;
  return `${shifted}.${String(timeNano % second).padStart(9, "0")}${zone}`;
}

/** By the names of Docker's `events.Message`: templates see Go's, JSON has those of the API. */
function message({ timeNano, type, action, id, attributes }: EngineEvent): object {
  const Actor = { ID: id, Attributes: attributes };
  const time = timeNano / second;
  const old = { status: action, id, ...(attributes["image"] !== undefined && type === "container" && { from: attributes["image"] }) };
  return {
    Status: action,
    ID: id,
    From: type === "container" ? (attributes["image"] ?? "") : "",
    Type: type,
    Action: action,
    Actor,
    Scope: "local",
    Time: time,
    TimeNano: timeNano,
    toJSON: () => ({
      ...(type === "container" || type === "image" ? old : {}),
      ...{ Type: type, Action: action, Actor, scope: "local", time, timeNano },
    }),
  };
}
