import { type BuildFiles, type Cancellable, RamekinError } from "@ramekin/core";
import { entriesOf } from "./passing.ts";

const maxBytes = 1 << 20;

/**
 * `name|uid[:group|gid]` as numbers, by BuildKit's rules: a user's number without a group is the group's, too, whatever /etc/passwd says of
 * it, and root is 0 though nothing lists it. Names are those of the files. One that they do not have is NOT_FOUND, or root if so asked.
 */
export async function findOwner(
  files: Pick<BuildFiles, "look" | "pack">,
  text: string,
  { unknown = "refused", signal }: Cancellable & { readonly unknown?: "refused" | "root" } = {},
): Promise<string> {
  const [user = "", group] = text.split(/:(.*)/s);
  const found = async (what: "user" | "group", name: string): Promise<readonly string[]> => {
    const file = what === "user" ? "passwd" : "group";
    const line = (await linesOf(files, `/etc/${file}`, signal)).find(([first, , id]) => first === name && numberIn(id) !== undefined);
    if (line || unknown === "root") return line ?? [];
    throw new RamekinError("NOT_FOUND", `unable to find ${what} ${name}: no matching entries in ${file} file`);
  };
  let uid = idOf(user);
  let gid = uid;
  if (uid === undefined) {
    const [, , own, primary] = await found("user", user);
    uid = numberIn(own) ?? 0;
    gid = numberIn(primary) ?? 0;
  }
  if (group !== undefined) gid = idOf(group) ?? numberIn((await found("group", group))[2]) ?? 0;
  return `${uid}:${gid}`;
}

/** Nothing is 0, as in `:6`. */
const idOf = (text: string): number | undefined => (text === "" || text === "root" ? 0 : numberIn(text));

/** Ids end at 2^31 - 1, as Docker has it. */
function numberIn(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) && Number(text) < 2 ** 31 ? Number(text) : undefined;
}

/** What is no file, or too big for one of users, lists none. */
async function linesOf(
  files: Pick<BuildFiles, "look" | "pack">,
  path: string,
  signal: AbortSignal | undefined,
): Promise<readonly (readonly string[])[]> {
  const there = await files.look(path, { follow: true });
  if (there?.kind !== "file" || there.size > maxBytes) return [];
  const chunks: Uint8Array[] = [];
  for await (const entry of entriesOf(files.pack(path, { follow: true, name: "users" }), signal)) {
    if (entry.kind === "file") for await (const chunk of entry.content({ signal })) chunks.push(chunk);
  }
  const lines = Buffer.concat(chunks).toString("utf8").split("\n");
  return lines.map((line) => line.trim().split(":"));
}
