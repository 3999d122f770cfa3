import type { EngineEvent, EventFilters } from "./event.ts";

/** As Docker decides it. */
export function matchesFilters(event: EngineEvent, filters: EventFilters): boolean {
  const { type, action, attributes } = event;
  const some = (wanted: readonly string[] | undefined, matches: (value: string) => boolean) => wanted === undefined || wanted.some(matches);
  return (
    some(filters.type, (value) => value === type) &&
    some(filters.event, (value) => value === action || value === action.split(":")[0]) &&
    some(filters.container, (value) => isAbout(event, "container", value)) &&
    some(filters.volume, (value) => isAbout(event, "volume", value)) &&
    some(filters.network, (value) => isAbout(event, "network", value)) &&
    some(filters.image, (value) => imagesOf(event).includes(value)) &&
    (filters.label ?? []).every((label) => hasLabel(attributes, label))
  );
}

function isAbout({ type, id, attributes }: EngineEvent, of: EngineEvent["type"], value: string): boolean {
  if (type === of) return attributes["name"] === value || (value !== "" && id.startsWith(value));
  // Events of networks and volumes name the container that they are for.
  return of === "container" && attributes["container"]?.startsWith(value) === true;
}

function imagesOf({ type, id, attributes }: EngineEvent): readonly string[] {
  const name = type === "image" ? attributes["name"] : attributes["image"];
  const names = [...(type === "image" ? [id] : []), ...(name === undefined ? [] : spellings(name))];
  return names;
}

/** `docker.io/library/busybox:1.37` is also called `busybox:1.37` and `busybox`. */
function spellings(name: string): readonly string[] {
  const short = name.replace(/^docker\.io\/(library\/)?/, "");
  return [name, short].flatMap((each) => [each, each.replace(/@.*$/, "").replace(/:[^/:]*$/, "")]);
}

function hasLabel(attributes: EngineEvent["attributes"], label: string): boolean {
  const at = label.indexOf("=");
  return at < 0 ? Object.hasOwn(attributes, label) : attributes[label.slice(0, at)] === label.slice(at + 1);
}
