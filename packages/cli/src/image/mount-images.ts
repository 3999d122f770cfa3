import { RamekinError } from "@ramekin/core";
import type { ImageMount } from "@ramekin/engine";
import { familiarReference, parseReference } from "@ramekin/oci";
import { UsageError } from "../argv/status-error.ts";
import type { Context } from "../context.ts";
import { exitStatus } from "../exit-status.ts";
import { table } from "../format/table.ts";
import { reportLines } from "../report.ts";
import { json } from "../template/functions.ts";

/** `ramekin image mount`: each image's path, beside its name when there are several; without arguments, those that are mounted. */
export async function mountImages(
  { all, format }: { readonly all: boolean; readonly format: string | undefined },
  names: readonly string[],
  context: Context,
): Promise<number> {
  if (all && names.length > 0) throw new UsageError("cannot use --all with images", { status: 1 });
  const engine = await context.engine();
  const signal = context.interruption.signal;
  if (!all && names.length === 0) {
    const mounted = await engine.mountedImages();
    if (format === "json") context.print(json(mounted.map(asJson)));
    else for (const line of table(mounted.map((each) => [shown(each), each.path]))) context.print(line);
    return 0;
  }
  const wanted = all ? [...new Set((await engine.images()).map(({ id }) => id))] : names;
  const mounted: ImageMount[] = [];
  for (const name of wanted) mounted.push(await engine.mountImage(name, { signal }));
  if (format === "json") context.print(json(mounted.map(asJson)));
  else if (!all && mounted.length === 1) context.print((mounted[0] as ImageMount).path);
  else for (const line of table(mounted.map((each) => [shown(each), each.path]))) context.print(line);
  return 0;
}

/** `ramekin image unmount`: the ids of what was unmounted. */
export async function unmountImages(all: boolean, names: readonly string[], context: Context): Promise<number> {
  if (all && names.length > 0) throw new UsageError("cannot use --all with images", { status: 1 });
  if (!all && names.length === 0)
    throw new RamekinError("INVALID_ARGUMENT", "no image was named", { hint: "--all for all that are mounted" });
  const engine = await context.engine();
  let status: number = exitStatus.ok;
  for (const name of all ? (await engine.mountedImages()).map(({ path }) => path) : names) {
    try {
      context.print((await engine.unmountImage(name)).id);
    } catch (error) {
      status = exitStatus.failure;
      for (const line of reportLines(error, context.logLevel)) context.note(line);
    }
  }
  return status;
}

const shown = ({ id, name }: ImageMount) => (name === undefined ? id : familiarReference(parseReference(name)));
const asJson = ({ id, name, path }: ImageMount) => ({ id, Repositories: name === undefined ? [] : [name], mountpoint: path });
