import type { PassingEntry } from "@ramekin/archive";
import type { FileContent, FileNode, FileTime } from "./file-tree.ts";

/** What a tar's entry says, but for hard links: those are another name of a file that is there. */
export function nodeOf(entry: PassingEntry, content: FileContent): FileNode {
  const { type, mode, uid, gid, linkname, pax = {}, major = 0, minor = 0 } = entry;
  const records = Object.entries(pax).map(([key, value]) => [key, Buffer.from(value as string)] as const);
  const xattrs = new Map(records.filter(([key]) => key.startsWith("SCHILY.xattr.")));
  const base = { mode, uid, gid, xattrs, mtime: timeOf(entry) };
  if (type === "5") return { ...base, kind: "directory" };
  if (type === "2") return { ...base, kind: "link", mode: 0o777, target: linkname };
  if (type === "3" || type === "4" || type === "6") return { ...base, kind: "device", type, major, minor };
  return { ...base, kind: "file", content };
}

function timeOf({ mtime, pax }: PassingEntry): FileTime {
  const written = pax?.["mtime"];
  const exact = written === undefined ? undefined : /^(-?\d+)(?:\.(\d+))?$/.exec(Buffer.from(written as string).toString("latin1"));
  if (!exact) return { seconds: Math.floor(mtime), nanoseconds: "" };
  const nanoseconds = (exact[2] ?? "").padEnd(9, "0").slice(0, 9);
  return { seconds: Number(exact[1]), nanoseconds: /^0*$/.test(nanoseconds) ? "" : nanoseconds };
}
