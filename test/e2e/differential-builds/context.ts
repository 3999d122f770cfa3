import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { succeed } from "../../support/index.ts";
import { tar } from "../../support/tar.ts";
import { type BuildCase, dockerfiles } from "./cases.ts";

/** What every context holds besides its Dockerfile: each kind of file that COPY and ADD treat in a way of its own. */
const script = `
umask 022
echo hello > hello.txt; echo a1 > a1.txt; echo a2 > a2.txt; echo b1 > b1.txt; echo spaced > "with space.txt"; echo odd > "[x].txt"
printf '#!/bin/sh\\necho script\\n' > script.sh; chmod 755 script.sh
echo suid > suid.sh; chmod 4755 suid.sh
echo secret > secret.key; chmod 600 secret.key
: > .hidden
mkdir -p dir/sub/deep dir/other
echo one > dir/one; echo two > dir/two; echo three > dir/sub/three; echo four > dir/sub/deep/four.md; echo five > dir/other/five
ln -s one dir/link; ln -s hello.txt link-to-file; ln -s dir link-to-dir; ln -s /nowhere dangling
mkdir strange; echo f > strange/f; chmod 1775 strange; chmod 2711 strange/f
echo "no archive" > fake.tar.gz; echo "no tar" | gzip -n > compressed.gz
gzip -nk archive.tar; bzip2 -k archive.tar; xz -k archive.tar
`;

const archive = tar([
  { path: "bin", type: "directory" },
  { path: "bin/tool", content: "#!/bin/sh\n", mode: 0o755, uid: 7, gid: 8 },
  { path: "bin/again", type: "link", target: "bin/tool" },
  { path: "bin/short", type: "symlink", target: "tool" },
  { path: "setuid", content: "s\n", mode: 0o4711 },
  { path: "plain", content: "plain\n", mode: 0o640, uid: 1000, gid: 1001 },
  { path: "closed", type: "directory", mode: 0o700, uid: 9, gid: 9 },
]);

// cap_net_raw, effective, as file capabilities of version 2 (capability.h): five words; of ASCII only, as the writer of tars takes text.
const capabilities = Buffer.from("0100000200200000000000000000000000000000", "hex").toString("latin1");
const attributed = tar([
  { path: "noted", content: "n\n", pax: { "SCHILY.xattr.user.note": "kept" } },
  { path: "able", content: "a\n", mode: 0o755, pax: { "SCHILY.xattr.security.capability": capabilities } },
]);

/** A context for each case, `folder/<name>`, and `folder/.shared`, what they all have. */
export async function makeContexts(folder: string, cases: readonly BuildCase[]): Promise<void> {
  const shared = join(folder, ".shared");
  await mkdir(shared, { recursive: true });
  await writeFile(join(shared, "archive.tar"), archive);
  await writeFile(join(shared, "attributed.tar"), attributed);
  await succeed(["sh", "-ec", script], { cwd: shared });
  await succeed(["sh", "-ec", 'for name; do cp -a .shared "$name"; done', "-", ...cases.map(({ name }) => name)], { cwd: folder });
  for (const { name, ignore, ignoreOfFile } of cases) {
    await writeFile(join(folder, name, "Dockerfile"), await readFile(join(dockerfiles, `${name}.Dockerfile`)));
    if (ignore !== undefined) await writeFile(join(folder, name, ".dockerignore"), ignore);
    if (ignoreOfFile !== undefined) await writeFile(join(folder, name, "Dockerfile.dockerignore"), ignoreOfFile);
  }
  await succeed(["find", folder, "-exec", "touch", "-h", "-d", "2020-01-02T03:04:05Z", "{}", "+"]);
}
