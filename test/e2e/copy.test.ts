import { mkdir, readdir, readFile, readlink, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { beforeAll, describe, expect, test } from "vitest";
import { busyboxImage, noKitchen, pty, succeed, tar, useKitchen } from "../support/index.ts";

const here = useKitchen(async () => ({ images: [await busyboxImage()] }));
const ramekin = (...args: string[]) => here().ramekin(args);
const output = (...args: string[]) => here().output(args);
const cp = (...args: string[]) => output("cp", ...args);
const refused = async (...args: string[]) => {
  const { code, stderr } = await ramekin("cp", ...args);
  expect(code).toBe(1);
  return stderr;
};
const at = (path: string) => join(here().folder, path);
const tree = async (folder: string) => (await succeed(["find", ".", "-mindepth", "1"], { cwd: folder })).stdout.trim().split("\n").sort();

beforeAll(async () => {
  if (noKitchen !== undefined) return;
  await mkdir(at("src/sub"), { recursive: true });
  await writeFile(at("src/one"), "1\n", { mode: 0o640 });
  await writeFile(at("src/sub/.wh.two"), "2\n");
  await symlink("one", at("src/link"));
  await symlink("/tmp", at("tmplink"));
  await succeed(["sh", "-ec", "ln one hard; mkfifo pipe; touch -d @1000000000 one; chown 12:34 one", at("src")], { cwd: at("src") });
  await output(
    "run",
    "-d",
    "--name",
    "runs",
    "-u",
    "cook",
    "-v",
    "shelf:/shelf",
    "-v",
    `${at("src")}:/sealed:ro`,
    "--tmpfs",
    "/scratch",
    "busybox",
    "sleep",
    "1000",
  );
  await output(
    "create",
    "--name",
    "rests",
    "-u",
    "cook",
    "-v",
    "shelf:/shelf",
    "-v",
    `${at("src")}:/sealed:ro`,
    "busybox",
    "cat",
    "/tmp/marker",
  );
});

/** In a running container, or in one that has never run. */
describe.each(["runs", "rests"])("a container that %s", (name) => {
  const listing = async (path: string) => {
    const { bytes } = await ramekin("cp", `${name}:${path}`, "-");
    return (await succeed(["tar", "--numeric-owner", "-tvf", "-"], { input: bytes })).stdout.trim().split("\n");
  };
  const names = async (path: string) =>
    (await listing(path)).map((line) => line.replace(/ (->|link to) .*/, "").replace(/^.* /, "")).sort();

  test("[CTR-8] a directory in: into one that is there, as one that is not, and its content alone", async () => {
    await cp(at("src"), `${name}:/tmp`);
    expect(await names("/tmp/src")).toEqual(["src/", "src/hard", "src/link", "src/one", "src/pipe", "src/sub/", "src/sub/.wh.two"]);
    await cp(`${at("src")}/`, `${name}:/tmp/fresh`);
    await cp(`${at("src")}/.`, `${name}:/tmp/fresh/sub`);
    expect(await names("/tmp/fresh/.")).toEqual(expect.arrayContaining(["./", "one", "sub/", "sub/.wh.two", "sub/one", "sub/sub/.wh.two"]));
    const one = (await listing("/tmp/src")).find((line) => line.endsWith(" src/one") || line.endsWith("src/hard"));
    expect(one).toMatch(/^-rw-r----- 12\/34 +2 2001-09-09/);
    expect((await listing("/tmp/src")).some((line) => / link to src\//.test(line))).toBe(true);
  });

  test("[CTR-8] a file in: into a directory, under another name, over another one", async () => {
    await cp(at("src/one"), `${name}:/root`);
    await cp(at("src/one"), `${name}:root/other`);
    await cp(at("src/sub/.wh.two"), `${name}:/root/other`);
    expect(await names("/root/.")).toEqual(["./", "one", "other"]);
    await cp(`${name}:/root/other`, at(`other-${name}`));
    expect(await readFile(at(`other-${name}`), "utf8")).toBe("2\n");
  });

  test("[cp --archive] with the container's user in, with the owners out; else as in the archive, and the caller's", async () => {
    await cp("-a", at("src/one"), `${name}:/home/cook/given`);
    await cp(at("src/one"), `${name}:/home/cook/kept`);
    const owners = (await listing("/home/cook")).map((line) => line.split(/ +/)[1]);
    expect(owners).toEqual(["1000/1001", "1000/1001", "12/34"]);
    await cp("--archive", `${name}:/home/cook`, at(`archive-${name}`));
    await cp(`${name}:/home/cook`, at(`plain-${name}`));
    const owner = async (path: string) => ((entry) => `${entry.uid}:${entry.gid}`)(await stat(at(path)));
    expect(await owner(`archive-${name}/kept`)).toBe("12:34");
    expect(await owner(`archive-${name}`)).toBe("1000:1001");
    expect(await owner(`plain-${name}/kept`)).toBe("0:0");
  });

  test("[cp --follow-link] a link is copied as a link, or what it leads to under its name; a slash behind it follows it, too", async () => {
    await cp(`${at("src")}/link`, `${name}:/root/aslink`);
    await cp("-L", `${at("src")}/link`, `${name}:/root/asfile`);
    expect((await listing("/root/aslink"))[0]).toMatch(/ aslink -> one$/);
    expect((await listing("/root/asfile"))[0]).toMatch(/^-.* asfile$/);
    await cp(at("tmplink"), `${name}:/link`);
    await cp(`${name}:/link`, at(`link-${name}`));
    expect(await readlink(at(`link-${name}`))).toBe("/tmp");
    await cp("--follow-link", `${name}:/link`, at(`followed-${name}`));
    expect((await stat(at(`followed-${name}`))).isDirectory()).toBe(true);
    // What is a link at the target is followed, inside the container, even to what is not there yet.
    await cp(at("src/one"), `${name}:/link/through`);
    expect(await names("/tmp/through")).toEqual(["through"]);
  });

  test("[CTR-8] out: into a directory, as another, its content alone, and over what is there", async () => {
    const out = at(`out-${name}`);
    await cp(at("src"), `${name}:/var/it`);
    await cp(`${name}:/var/it`, out);
    await cp(`${name}:/var/it`, out);
    await cp(`${name}:/var/it/sub/.`, out);
    expect(await tree(out)).toEqual(
      expect.arrayContaining(["./one", "./sub/.wh.two", "./it/one", "./it/sub/.wh.two", "./.wh.two", "./pipe"]),
    );
    expect(await readFile(join(out, "one"), "utf8")).toBe("1\n");
    expect((await stat(join(out, "one"))).mtime).toEqual(new Date(1_000_000_000_000));
    expect((await stat(join(out, "one"))).ino).toBe((await stat(join(out, "hard"))).ino);
  });

  test("[CTR-8] volumes and what else is mounted: read, written, or read-only", async () => {
    await cp(at("src/one"), `${name}:/shelf/${name}`);
    expect(await readdir(join(JSON.parse(await output("volume", "inspect", "shelf"))[0].Mountpoint))).toContain(name);
    expect(await names(`/shelf/${name}`)).toEqual([name]);
    expect(await refused(at("src/one"), `${name}:/sealed/x`)).toMatch(/read-only file system/);
    expect(await names("/sealed/one")).toEqual(["one"]);
    expect(await names("/etc/hostname")).toEqual(["hostname"]);
  });

  test("[CTR-8] archives in and out, compressed ones too", async () => {
    const archive = tar([{ path: "a/b", content: "packed\n" }]);
    for (const input of [archive, gzipSync(archive)]) {
      expect(await here().ramekin(["cp", "-", `${name}:/home`], { input })).toMatchObject({ code: 0, stdout: "", stderr: "" });
    }
    expect(await names("/home/a")).toEqual(["a/", "a/b"]);
    expect(await refused("-", `${name}:/etc/plain`)).toContain(`destination "${name}:/etc/plain" must be a directory`);
    expect((await here().ramekin(["cp", "-", `${name}:/home`], { input: "no archive" })).code).toBe(1);
  });

  test("[CTR-8] what cannot be copied is said, and nothing is changed", async () => {
    expect(await refused(at("nosuch"), `${name}:/tmp`)).toContain(`lstat ${at("nosuch")}: no such file or directory`);
    expect(await refused(`${name}:/nosuch`, at("x"))).toContain(`could not find the file /nosuch in container ${name}`);
    expect(await refused(`${name}:/etc`, at("no/dir/there"))).toContain("no such file or directory");
    expect(await refused(at("src/one"), `${name}:/no/dir`)).toContain(`could not find the file /no/ in container ${name}`);
    expect(await refused(at("src/one"), `${name}:/tmp/missing/`)).toContain("no such directory");
    expect(await refused(`${at("src/one")}/`, `${name}:/tmp`)).toContain("not a directory");
    expect(await refused(`${name}:/etc/plain/`, at("x"))).toContain("not a directory");
    expect(await refused(at("src"), `${name}:/etc/plain`)).toContain("cannot copy directory");
    expect(await refused(`${name}:/etc`, at("src/one"))).toContain("cannot copy directory");
    await cp(at("src/sub"), `${name}:/tmp/clash`);
    await cp(at("src/one"), `${name}:/tmp/clash/sub`);
    expect(await refused(`${at("src")}/.`, `${name}:/tmp/clash`)).toContain("cannot overwrite non-directory with directory");
  });
});

test("[CTR-8] what was copied into a container before its first start is there then", async () => {
  await writeFile(at("marker"), "seen\n");
  await cp(at("marker"), "rests:/tmp/marker");
  expect(await output("start", "-a", "rests")).toBe("seen");
  // Removed by itself: its layer is a volatile one, which can be mounted only once.
  await output("create", "--rm", "--name", "brief", "busybox", "cat", "/marker");
  await cp(at("marker"), "brief:/");
  expect(await output("start", "-a", "brief")).toBe("seen");
});

test("[CTR-8] between two containers, or none: refused", async () => {
  expect(await refused("runs:/a", "rests:/b")).toContain("copying between containers is not supported");
  expect(await refused("./runs:x", "/b")).toContain("must specify at least one container source");
  expect(await refused("nobody:/a", "/b")).toContain("no such container: nobody");
});

test("[CTR-8] a read-only container takes nothing, but for its volumes; a paused one answers", async () => {
  await output("create", "--name", "locked", "--read-only", "-v", "shelf:/shelf", "busybox", "true");
  expect(await refused(at("src/one"), "locked:/tmp")).toContain("read-only");
  await cp(at("src/one"), "locked:/shelf/fromlocked");
  await output("pause", "runs");
  expect((await ramekin("cp", "runs:/shelf/fromlocked", "-")).code).toBe(0);
  await output("unpause", "runs");
});

test("[cp --quiet] people are told how much it was, and scripts are not", async () => {
  const told = async (...flags: string[]) =>
    (await pty([...here().command, "cp", ...flags, at("src/one"), "runs:/tmp/told"], [], { env: { ...here().env, TERM: "xterm" } })).output;
  expect(await told()).toContain("Successfully copied 2.05kB to runs:/tmp/told");
  expect(await told("--quiet")).toBe("");
});
