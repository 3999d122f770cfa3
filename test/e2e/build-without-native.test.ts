// A Dockerfile without RUN, where nothing native can be used and nobody is root: the same bytes as with all of it.
import { randomUUID } from "node:crypto";
import { chown, link, mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { expect, test } from "vitest";
import { busyboxImage, checkout, command, kitchen, missing, needs, noKitchen, showCheckout, succeed } from "../support/index.ts";

const absent = noKitchen ?? missing("setpriv", "mount", "umount");
const id = 54_322;
const long = "n".repeat(120);

const dockerfile = `FROM busybox AS base
WORKDIR /work/deep
COPY --chown=nobody:nogroup tree ./
FROM base
ENV DISH=soup
COPY --from=base --chmod=u=rwX,go=rX /work /again/
COPY --from=base --parents --exclude=**/*.md /work/./deep/*/*.txt /parents/
COPY --link --chmod=600 tree/one.txt /linked/
COPY tree/one.txt /etc/motd
COPY tree/one.txt /alias/below
ADD packed.tar.gz /packed/
COPY --from=base /work/deep/hard /work/deep/one.txt /pair/
COPY <<EOF /heredoc
written $DISH
EOF
COPY tree/sub/${long} /etc/
COPY tree/one.txt /to-file
USER nobody
WORKDIR /by/nobody
USER 5:6
WORKDIR /by/number
LABEL course=first
CMD ["cat", "/etc/motd"]
`;

test("[BLD-13] [BLD-19] a build without RUN: no native parts, no root, the same image", async () => {
  needs(absent);
  await using place = await kitchen({ images: [await busyboxImage()] });
  const folder = join(place.folder, "context");
  await mkdir(join(folder, "tree/sub"), { recursive: true });
  await writeFile(join(folder, "Dockerfile"), dockerfile);
  const files = { "one.txt": "one\n", "read.md": "", "sub/two.txt": "two\n", [`sub/${long}`]: "long\n", "sub/\u00fc.txt": "umlaut\n" };
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, "tree", name), content);
  await link(join(folder, "tree/one.txt"), join(folder, "tree/hard"));
  await symlink("../one.txt", join(folder, "tree/sub/link"));
  await succeed(["tar", "-czf", join(folder, "packed.tar.gz"), "--owner=7", "--group=8", "-C", join(folder, "tree"), "sub"]);
  // A base with a link where files are put, of a directory of its own.
  const base =
    "FROM busybox\nRUN mkdir /real && chmod 2711 /real && ln -s real /alias && ln -s real/through /to-file && touch -d @5 /real\n";
  const based = await place.ramekin(["build", "-t", "busybox-linked", "-"], { input: base });
  expect(based.code, based.stderr).toBe(0);
  const flags = ["--timestamp", "1000000000", "--build-context", "busybox=docker-image://busybox-linked", "-t", "same"];
  const digest = await place.output(["build", "--quiet", ...flags, folder]);
  const archive = join(place.folder, "linked.tar");
  await place.output(["save", "-o", archive, "busybox-linked"]);

  // As root, and without a native part.
  const nothing = join(place.folder, "nothing");
  await mkdir(nothing);
  await using bare = await kitchen();
  const env = { RAMEKIN_NATIVE_DIR: nothing };
  await bare.output(["load", "-q", "-i", archive], { env });
  expect(await bare.output(["build", "--quiet", ...flags, folder], { env })).toBe(digest);
  const again = await bare.ramekin(["build", ...flags, folder], { env });
  expect(again.stderr).not.toMatch(/(?:COPY|ADD|WORKDIR).*\n#\d+ DONE/);
  const refused = await bare.ramekin(["build", "-"], { env, input: "FROM busybox-linked\nRUN true\n" });
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("ramekin-rootfs is missing in") });

  // As somebody who may do nothing.
  const home = join(process.env["RAMEKIN_TEST_FOLDER"] ?? "/var/tmp", `user-${randomUUID()}`);
  await mkdir(join(home, "repository"), { recursive: true });
  try {
    await using _shown = await showCheckout(join(home, "repository"));
    await chown(home, id, id);
    await succeed(["cp", "-a", folder, archive, home]);
    await succeed(["chmod", "a+r", join(home, "linked.tar")]);
    const inside = (path: string) => (path.startsWith(`${checkout}/`) ? join(home, "repository", relative(checkout, path)) : path);
    const main = inside(process.env["RAMEKIN_TEST_CLI"] ?? join(checkout, "packages/cli/dist/main.cjs"));
    const as = ["setpriv", `--reuid=${id}`, `--regid=${id}`, "--clear-groups", "--bounding-set=-all", "--no-new-privs"];
    const environment = [
      "env",
      "-i",
      `HOME=${home}`,
      `XDG_RUNTIME_DIR=${home}/run`,
      `PATH=${process.env["PATH"]}`,
      "RAMEKIN_NATIVE_DIR=/nothing",
    ];
    const program = [inside(process.execPath), ...(main.endsWith(".ts") ? ["--conditions=ramekin-source"] : []), main];
    const user = (...args: string[]) => command([...as, ...environment, ...program, ...args], { cwd: home });
    expect(await user("load", "-q", "-i", "linked.tar")).toMatchObject({ code: 0 });
    const { code, stdout, stderr } = await user("build", "--quiet", ...flags, "context");
    expect([code, stdout.trim()], stderr).toEqual([0, digest]);
    expect(await user("save", "-o", "same.tar", "same")).toMatchObject({ code: 0 });
    // And it runs.
    await place.output(["rmi", "same"]);
    await place.output(["load", "-q", "-i", join(home, "same.tar")]);
    expect(await place.output(["run", "--rm", "same"])).toBe("one");
    const script = "cat /real/below /heredoc; stat -c '%a %U %n' /real /work/deep/one.txt /linked/one.txt";
    expect((await place.output(["run", "--rm", "same", "sh", "-c", script])).split("\n")).toEqual([
      ...["one", "written soup", "2711 root /real", "644 nobody /work/deep/one.txt", "600 root /linked/one.txt"],
    ]);
  } finally {
    await rm(home, { recursive: true, force: true });
  }
});
