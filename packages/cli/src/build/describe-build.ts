import { basename } from "node:path";
import { RamekinError } from "@ramekin/core";
import type { BuildCheck, BuildDescription, BuildOutline, BuildTarget, BuildWarning } from "ramekin";
import type { Context } from "../context.ts";
import { exitStatus } from "../exit-status.ts";
import type { Call } from "./call.ts";

/** `--call`: what buildx prints, with its exit statuses. */
export function describeBuild(description: BuildDescription, call: Call, context: Context): number {
  const { method, json, ignoreStatus } = call;
  const print = (document: object, lines: () => readonly string[]) => {
    if (json) context.print(goJSON(document));
    else for (const line of lines()) context.print(line);
  };
  if (method === "targets") {
    const targets = description.targets();
    print(targetsDocument(description, targets), () => targetLines(targets));
  } else if (method === "outline") {
    const outline = description.outline();
    print(outlineDocument(description, outline), () => outlineLines(outline));
  } else if (method === "subrequests.describe") print(subrequests, describeLines);
  else {
    const check = description.check();
    print(checkDocument(description, check), () => checkLines(check));
    if (check.error) throw inFull(check.error);
    return check.warnings.length > 0 && !ignoreStatus ? exitStatus.failure : exitStatus.ok;
  }
  return exitStatus.ok;
}

/** Go's encoder escapes what means something in HTML. */
const goJSON = (document: object) =>
  JSON.stringify(document, undefined, 2).replace(/[<>&]/g, (sign) => `\\u00${sign.charCodeAt(0).toString(16)}`);

function checkLines({ warnings, error }: BuildCheck): readonly string[] {
  const count = warnings.length === 1 ? "1 warning has been found!" : `${warnings.length} warnings have been found!`;
  if (warnings.length === 0) return error ? [] : ["Check complete, no warnings found."];
  return [`Check complete, ${count}`, ...warnings.flatMap(warningBlock), ...(error ? [""] : [])];
}

const warningBlock = ({ rule, url, message, excerpt }: BuildWarning) => ["", `WARNING: ${rule} - ${url}`, message, excerpt];

/** With its place as the warnings have theirs, where it has one. */
function inFull(error: RamekinError): RamekinError {
  if (!("surroundings" in error) || !("reason" in error)) return error;
  return new RamekinError(error.code, `${error.reason}\n${error.surroundings}`, {
    cause: error,
    ...(error.hint !== undefined && { hint: error.hint }),
  });
}

const location = ([first, last]: BuildTarget["lines"]) => ({ ranges: [{ start: { line: first }, end: { line: last } }] });
const base64 = (text: string) => Buffer.from(text).toString("base64");

/** BuildKit's `LintResults`; lists without entries are null, as Go writes them. */
function checkDocument({ file, text }: BuildDescription, { warnings, error }: BuildCheck): object {
  const found = warnings.map(({ rule, description, url, message, lines }) => {
    return { ruleName: rule, description, url, detail: message, location: location(lines) };
  });
  const sources = found.length > 0 || error ? [{ filename: basename(file), data: base64(text), language: "Dockerfile" }] : null;
  const range = error && "range" in error ? (error.range as { start: { line: number }; end: { line: number } }) : undefined;
  const place = range ? location([range.start.line, range.end.line]) : {};
  const message = error && "reason" in error ? error.reason : error?.message;
  return { warnings: found.length > 0 ? found : null, sources, ...(error && { buildError: { message, location: place } }) };
}

function outlineDocument({ text }: BuildDescription, { name, description, arguments: args, secrets, ssh }: BuildOutline): object {
  const credentials = (all: BuildOutline["secrets"]) =>
    all.map(({ name: id, required, lines }) => ({ name: id, ...(required && { required }), location: location(lines) }));
  return {
    ...(name !== undefined && { name }),
    ...(description !== undefined && { description }),
    ...(args.length > 0 && { args: args.map(({ lines, ...argument }) => ({ ...argument, location: location(lines) })) }),
    ...(secrets.length > 0 && { secrets: credentials(secrets) }),
    ...(ssh.length > 0 && { ssh: credentials(ssh) }),
    sources: [base64(text)],
  };
}

function outlineLines({ name, description, arguments: args, secrets, ssh }: BuildOutline): readonly string[] {
  const about = [["TARGET:", name ?? "(default)"], ...(description === undefined ? [] : [["DESCRIPTION:", description]])];
  const values = args.map((argument) => [argument.name, argument.value ?? "", argument.description ?? ""]);
  const credentials = (all: BuildOutline["secrets"]) => all.map(({ name: id, required }) => [id, required ? "true" : ""]);
  const blocks = [
    name === undefined && description === undefined ? [] : aligned(about, 1),
    values.length === 0 ? [] : aligned([["BUILD ARG", "VALUE", "DESCRIPTION"], ...values], 3),
    secrets.length === 0 ? [] : aligned([["SECRET", "REQUIRED"], ...credentials(secrets)], 3),
    ssh.length === 0 ? [] : aligned([["SSH", "REQUIRED"], ...credentials(ssh)], 3),
  ];
  return blocks.flatMap((block) => (block.length === 0 ? [] : [...block, ""]));
}

function targetsDocument({ text }: BuildDescription, targets: readonly BuildTarget[]): object {
  const all = targets.map(({ name, default: isDefault, description, base, platform, lines }) => ({
    ...(name !== undefined && { name }),
    ...(isDefault && { default: true }),
    ...(description !== undefined && { description }),
    base,
    ...(platform !== undefined && { platform }),
    location: location(lines),
  }));
  return { targets: all, sources: [base64(text)] };
}

function targetLines(targets: readonly BuildTarget[]): readonly string[] {
  const title = ({ name = "", default: isDefault }: BuildTarget) => (isDefault ? `${name} (default)`.trimStart() : name);
  return aligned([["TARGET", "DESCRIPTION"], ...targets.map((target) => [title(target), target.description ?? ""])], 1);
}

const named = (name: string, description = "") => ({ name, description });
const results = [named("result.json"), named("result.txt")];

/** What BuildKit's frontend says of itself; it does not list `lint`. */
const subrequests = [
  {
    name: "frontend.outline",
    description: "List all parameters current build target supports",
    opts: [named("target", "Target build stage")],
  },
  { name: "frontend.targets", description: "List all targets current build supports", opts: [] },
  { name: "frontend.subrequests.describe", description: "List available subrequest types", opts: null },
].map(({ name, description, opts }) => {
  return { name, version: "1.0.0", type: "rpc", description, opts, inputs: null, metadata: results, refs: null };
});

function describeLines(): readonly string[] {
  const rows = subrequests.map(({ name, version, description }) => [name.replace(/^frontend\./, ""), version, description]);
  return aligned([["NAME", "VERSION", "DESCRIPTION"], ...rows], 1);
}

/** As Go's tabwriter: each column as wide as its widest cell and a gap, the last as it is. */
function aligned(rows: readonly (readonly string[])[], gap: number): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)) + gap);
  return rows.map((row) => row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0))).join(""));
}
