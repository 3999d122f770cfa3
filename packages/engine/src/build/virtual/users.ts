import { RamekinError } from "@ramekin/core";
import { bytesOf, type FileTree } from "./file-tree.ts";

const maxBytes = 1 << 20;

/** `name|uid[:group|gid]` as the tree's own /etc/passwd and /etc/group know them; a number need not be listed (ramekin-sys, passwd.rs). */
export async function findOwner(tree: FileTree, user: string): Promise<{ readonly uid: number; readonly gid: number }> {
  const [who = "", group] = user.split(/:(.*)/s);
  const name = who === "" ? "0" : who;
  const entry = (await linesOf(tree, "etc/passwd")).find(
    ([first, , uid]) => first === name || (uid !== undefined && idOf(uid) === idOf(name) && idOf(name) !== undefined),
  );
  const uid = entry ? idOf(entry[2]) : idOf(name);
  if (uid === undefined) throw unknown("user", name, "passwd");
  if (group === undefined || group === "") return { uid, gid: (entry && idOf(entry[3])) ?? 0 };
  const found = (await linesOf(tree, "etc/group")).find(
    ([first, , gid]) => first === group || (gid !== undefined && idOf(gid) === idOf(group) && idOf(group) !== undefined),
  );
  const gid = found ? idOf(found[2]) : idOf(group);
  if (gid === undefined) throw unknown("group", group, "group");
  return { uid, gid };
}

async function linesOf(tree: FileTree, path: string): Promise<readonly (readonly string[])[]> {
  const at = tree.resolve(path, true);
  const node = at === undefined ? undefined : tree.get(at);
  if (node?.kind !== "file" || node.content.size > maxBytes) return [];
  const text = (await bytesOf(node.content)).toString("utf8");
  return text.split("\n").map((line) => line.split(":"));
}

function idOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) && Number(text) < 2 ** 31 ? Number(text) : undefined;
}

function unknown(what: string, name: string, file: string): RamekinError {
  return new RamekinError("NOT_FOUND", `unable to find ${what} ${name}: no matching entries in ${file} file`);
}
