import { styleText } from "node:util";
import type { Kind } from "@ramekin/core";
import type { DriverReport } from "@ramekin/engine";
import type { Context } from "../context.ts";
import { exitStatus } from "../exit-status.ts";
import { wrap } from "../help/wrap.ts";
import { json } from "../template/functions.ts";

/** What every container needs one of, and what it is for. */
const needed = {
  content: "keeps image content",
  digester: "verifies it",
  codec: "decompresses layers",
  applier: "unpacks layers",
  storage: "makes root file systems",
  isolation: "runs containers",
  network: "connects them",
  log: "keeps their output",
} as const satisfies Partial<Record<Kind, string>>;

/** What only some commands need. */
const optional: Readonly<Record<string, string>> = {
  registry: "pulls images",
  transport: "reads images from files",
  differ: "makes layers",
};

/** `ramekin doctor`. */
export async function examine(asJson: boolean, context: Context): Promise<number> {
  const engine = await context.engine();
  const reports = await engine.doctor();
  const missing = Object.keys(needed).filter((kind) => !reports.some((report) => report.kind === kind && report.ok));
  const status = missing.length === 0 ? exitStatus.ok : exitStatus.failure;
  if (asJson) {
    context.print(json({ ok: missing.length === 0, missing, drivers: reports }));
    return status;
  }
  const paint: Paint =
    context.stdout.isTTY && !context.environment["NO_COLOR"]
      ? (how, text) => styleText(how, text, { validateStream: false })
      : (_, text) => text;
  for (const line of reportLines(reports, paint, context.stdout.columns ?? 80)) context.print(line);
  const kinds = missing.map((kind) => `${kind} (${needed[kind as keyof typeof needed]})`).join(", ");
  context.print(
    missing.length === 0
      ? paint("green", "A container can run here.")
      : paint("red", `No container can run here: nothing works for ${kinds}.`),
  );
  return status;
}

type Paint = (how: "bold" | "dim" | "green" | "red" | "yellow", text: string) => string;

/** By kind: ✓ or ✗, the name, what is chosen, and for what does not work the reason and what to do. */
function reportLines(reports: readonly DriverReport[], paint: Paint, width: number): string[] {
  const purposes: Readonly<Record<string, string>> = { ...needed, ...optional };
  const kinds = [...new Set([...Object.keys(purposes), ...reports.map(({ kind }) => kind)])];
  const nameWidth = Math.max(...reports.map(({ name }) => name.length), 0);
  return kinds.flatMap((kind) => {
    const ofKind = reports.filter((report) => report.kind === kind);
    if (ofKind.length === 0 && purposes[kind] === undefined) return [];
    const title = `${paint("bold", kind)}${purposes[kind] === undefined ? "" : paint("dim", `  ${purposes[kind]}`)}`;
    const lines = ofKind.flatMap((report) => driverLines(report, nameWidth, paint, width));
    return [title, ...(lines.length > 0 ? lines : [`  ${paint("red", "✗")} no driver is installed`]), ""];
  });
}

function driverLines({ name, ok, selected, reason, hint }: DriverReport, nameWidth: number, paint: Paint, width: number): string[] {
  const mark = ok ? paint("green", "✓") : paint("red", "✗");
  const indent = nameWidth + 6;
  const text = ok ? (selected ? "used by default" : "") : (reason ?? "does not work here");
  const [first = "", ...rest] = wrap(text, Math.max(width - indent, 30));
  const lines = [
    `  ${mark} ${name.padEnd(nameWidth)}  ${ok ? paint("dim", first) : first}`.trimEnd(),
    ...rest.map((line) => " ".repeat(indent) + line),
  ];
  if (!ok && hint !== undefined)
    lines.push(...wrap(`→ ${hint}`, Math.max(width - indent, 30)).map((line) => paint("yellow", " ".repeat(indent) + line)));
  return lines;
}
