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
  if (latest) return [await latestContainer(context)];
  const containers = await (await context.engine()).containers({ all: true });
  return filterContainers(containers, parseFilters(filter, containerFilters))
    .filter(fits)
    .map(({ id }) => id);
}

/** Id of the one that was created last. */
export async function latestContainer(context: Context): Promise<string> {
  const [last] = await (await context.engine()).containers({ all: true });
  if (!last) throw new RamekinError("NOT_FOUND", "there is no container");
  return last.id;
}

/** The arguments with a container in the first place, whether by its name or by `--latest`, which stands for it. */
export async function withContainer(
  latest: boolean,
  given: readonly string[],
  context: Context,
): Promise<readonly [name: string, ...rest: string[]]> {
  const [name = "", ...rest] = latest ? [await latestContainer(context), ...given] : given;
  return [name, ...rest];
}

async function idIn(path: string): Promise<string> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new RamekinError("NOT_FOUND", `cannot read the id in ${path}`, { cause });
  });
  return text.trim();
}

export const runs = ({ status }: ContainerInfo): boolean => status === "running" || status === "paused" || status === "restarting";
