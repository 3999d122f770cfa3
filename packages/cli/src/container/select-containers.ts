import { readFile } from "node:fs/promises";
import { RamekinError } from "@ramekin/core";
import type { ContainerInfo } from "@ramekin/engine";
import { UsageError } from "../argv/status-error.ts";
import type { Context } from "../context.ts";
import { parseFilters } from "../format/filters.ts";
import { containerFilters, filterContainers } from "./filter-containers.ts";

export interface Selection {
  readonly all: boolean;
  readonly cidfile: readonly string[];
  readonly latest: boolean;
  readonly filter?: readonly string[];
}

/**
 * Names and ids of what the command line means: names, or files with ids, or one of the ways to say it without a name.
 * `fits`: what `--all` and `--filter` stand for with this verb.
 */
export async function selectContainers(
  { all, cidfile, latest, filter = [] }: Selection,
  names: readonly string[],
  context: Context,
  fits: (container: ContainerInfo) => boolean = () => true,
): Promise<readonly string[]> {
  const ways = [names.length + cidfile.length > 0 && "names", all && "--all", latest && "--latest", filter.length > 0 && "--filter"];
  const used = ways.filter((way) => way !== false);
  if (used.length === 0)
    throw new UsageError("this requires at least 1 argument", { status: 1, hint: "name a container, or say --all or --latest" });
  if (used.length > 1) throw new UsageError(`conflicting options: ${used.join(" and ")}`, { hint: "one way of saying which containers" });
  if (names.length + cidfile.length > 0) return [...names, ...(await Promise.all(cidfile.map(idIn)))];
  const containers = await (await context.engine()).containers({ all: true });
  if (latest) {
    const [last] = containers;
    if (!last) throw new RamekinError("NOT_FOUND", "there is no container");
    return [last.id];
  }
  return filterContainers(containers, parseFilters(filter, containerFilters))
    .filter(fits)
    .map(({ id }) => id);
}

async function idIn(path: string): Promise<string> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new RamekinError("NOT_FOUND", `cannot read the id in ${path}`, { cause });
  });
  return text.trim();
}

export const runs = ({ status }: ContainerInfo): boolean => status === "running" || status === "paused" || status === "restarting";
