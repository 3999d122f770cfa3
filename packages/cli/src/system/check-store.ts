import type { CheckReport, StoreProblem } from "@ramekin/engine";
import { UsageError } from "../argv/status-error.ts";
import type { Context } from "../context.ts";
import { listingLines, type Row } from "../format/listing.ts";
import { humanSize } from "../format/units.ts";

/** `ramekin system fsck`. */
export async function checkStore(
  { format, offline, quiet, repair }: Readonly<Record<"offline" | "quiet" | "repair", boolean>> & { readonly format: string | undefined },
  context: Context,
): Promise<number> {
  if (offline && !repair) throw new UsageError("--offline says how to repair", { hint: "add --repair" });
  const engine = await context.engine();
  const shown = !quiet && format === undefined;
  const report = await engine.check({
    repair,
    offline,
    signal: context.interruption.signal,
    ...(shown && context.stderr.isTTY && { onProgress: percentLine(context) }),
  });
  const remaining = report.problems.filter(({ repaired }) => repaired === undefined);
  if (quiet && format === undefined) for (const { id } of remaining) context.print(id);
  else if (shown) for (const line of reportLines(report, repair)) context.print(line);
  else for (const line of listingLines({ ...listing, rows: report.problems.map(problemRow) }, format, false)) context.print(line);
  return remaining.length > 0 ? 1 : 0;
}

function percentLine({ stderr }: Context) {
  let last = -1;
  return ({ current, total }: { readonly current: number; readonly total: number }) => {
    const percent = Math.floor((current * 100) / total);
    if (percent !== last) stderr.write(`\rchecking ${percent}%${percent === 100 ? "\r\x1b[K" : ""}`);
    last = percent;
  };
}

const listing = { columns: ["Kind", "ID", "Message", "Images", "Containers", "Repaired"], headings: {}, key: "ID" };

function problemRow({ kind, id, message, images, containers, repaired }: StoreProblem): Row {
  return { Containers: containers.join(","), ID: id, Images: images.join(","), Kind: kind, Message: message, Repaired: repaired ?? "" };
}

function reportLines({ problems, checked, leftovers }: CheckReport, repair: boolean): readonly string[] {
  const { blobs, bytes, images, containers, snapshots } = checked;
  const remaining = problems.filter(({ repaired }) => repaired === undefined).length;
  const lines = [
    ...problems.flatMap(problemLines),
    `Checked ${count(blobs, "blob")} (${humanSize(bytes)}), ${count(images, "image")}, ${count(containers, "container")}, ${count(snapshots, "snapshot")}.`,
  ];
  const left = [
    ...(leftovers.unfinished > 0 ? [count(leftovers.unfinished, "unfinished download")] : []),
    ...(leftovers.blobs > 0 ? [`${count(leftovers.blobs, "blob")} that nothing needs`] : []),
    ...(leftovers.containers > 0 ? [count(leftovers.containers, "half-made container")] : []),
    ...(leftovers.leases > 0 ? [`${count(leftovers.leases, "lease")} of processes that are gone`] : []),
  ];
  if (left.length > 0) lines.push(`No problem, and for 'ramekin system prune' to take in time: ${left.join(", ")}.`);
  if (problems.length === 0) return [...lines, "The store is sound."];
  if (remaining === 0) return [...lines, `${count(problems.length, "problem")}, repaired. The store is sound.`];
  const hint = repair ? "what remains cannot be repaired from here" : "'ramekin system fsck --repair' puts right what can be";
  return [...lines, `${count(remaining, "problem")} remain${remaining === 1 ? "s" : ""}; ${hint}.`];
}

function problemLines({ kind, message, images, containers, repaired, hint }: StoreProblem): readonly string[] {
  return [
    `${kind}: ${message}`,
    ...(images.length > 0 ? [`  images: ${images.join(", ")}`] : []),
    ...(containers.length > 0 ? [`  containers: ${containers.join(", ")}`] : []),
    ...(repaired === undefined ? [] : [`  → ${repaired}`]),
    ...(hint === undefined ? [] : [`  hint: ${hint}`]),
    "",
  ];
}

const count = (number: number, one: string) => `${number} ${number === 1 ? one : `${one}s`}`;
