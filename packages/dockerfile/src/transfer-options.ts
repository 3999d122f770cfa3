import type { Add, Copy } from "./instruction.ts";
import { Complaint } from "./problem.ts";
import type { Range } from "./source.ts";

/** What COPY and ADD refuse once their values are known. */
export function checkTransfer(
  { name, chown, link, sources: pieces, destination }: Copy | Add,
  sources: readonly string[],
  owner: string,
  checksum: string,
): void {
  if (link && owner !== "" && !/^\d*(?::\d*)?$/.test(owner)) {
    const reason = `--chown=${owner}: user and group names can't be resolved when used with --link, use numeric uid[:gid] instead`;
    throw new Complaint(reason, { range: chown?.range });
  }
  if (name === "COPY") {
    const git = sources.findIndex((source) => /^git@|^(?:git|ssh):\/\//.test(source));
    if (git >= 0) throw new Complaint("source can't be a git ref for COPY", { range: pieces[git]?.range, hint: "ADD takes repositories" });
    const remote = sources.findIndex((source) => /^https?:\/\//.test(source));
    if (remote >= 0) throw new Complaint("source can't be a URL for COPY", { range: pieces[remote]?.range, hint: "ADD takes URLs" });
    return;
  }
  if (checksum === "") return;
  const range = destination.range;
  if (sources.length !== 1) throw new Complaint("checksum can't be specified for multiple sources", { range });
  if (!/^(?:https?|git|ssh):\/\/|^git@|\.git(?:[#?]|$)/.test(sources[0] ?? ""))
    throw new Complaint("checksum requires HTTP(S) or Git sources", { range });
}

/** Octal, or symbols as chmod(1) takes them. */
export function checkMode(mode: string, range: Range | undefined): void {
  if (mode === "" || (/^[0-7]+$/.test(mode) && Number.parseInt(mode, 8) <= 0o7777)) return;
  const clause = "[ugoa]*(?:[-+=](?:[rwxXst]*|[ugo]))+";
  if (new RegExp(`^${clause}(?:,${clause})*$`).test(mode)) return;
  throw new Complaint(`invalid chmod parameter: '${mode}'. it should be octal string and between 0 and 07777`, {
    range,
    hint: "or symbolic, such as u=rwX,go=rX",
  });
}
