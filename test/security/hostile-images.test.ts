import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { busyboxImage, busyboxTar, type Entry, noKitchen, smallImage, tar, useKitchen } from "../support/index.ts";

const here = useKitchen(async () => ({ images: [await busyboxImage()] }));
let canary: string;
let number = 0;

beforeAll(async () => {
  if (noKitchen !== undefined) return;
  canary = join(here().folder, "canary");
  await mkdir(canary);
  await writeFile(join(canary, "file"), "untouched\n");
  await writeFile(join(canary, "passwd"), "evil:x:0:0::/:/bin/sh\n");
});

const canaryState = async () => {
  const names = (await readdir(canary)).sort();
  return Promise.all(names.map(async (name) => [name, await readFile(join(canary, name), "utf8")]));
};

/** busybox with hostile layers on top, loaded under a name of its own. */
async function hostile(layers: readonly (readonly Entry[])[], config: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const name = `hostile-${++number}`;
  const folder = join(here().folder, name);
  const tars = [await busyboxTar(), ...layers.map((entries) => tar(entries))];
  await smallImage(folder, name, { tars, config: { Env: ["PATH=/bin"], Cmd: ["true"], ...config } });
  const loaded = await here().ramekin(["load", "-q", "-i", folder]);
  expect(loaded.stderr).not.toMatch(/\.[jt]s:\d+/);
  return name;
}

/** Whatever it answers, it answers soon, without a stack trace, and has not touched what is outside. */
async function harmless(args: readonly string[]) {
  const before = await canaryState();
  const result = await here().ramekin(args, { timeout: 40_000 });
  expect(result.stderr).not.toMatch(/\n\s+at .*\.[jt]s:\d+/);
  expect(result.stderr).not.toContain("panicked");
  expect(await canaryState()).toEqual(before);
  return result;
}

const up = "../".repeat(30);

describe("[SUP-5] layers that want out", () => {
  const outside = () => canary;
  const attacks: Record<string, () => readonly (readonly Entry[])[]> = {
    "a path with ..": () => [[{ path: `${up}${outside().slice(1)}/file`, content: "evil" }]],
    "an absolute path": () => [[{ path: `${outside()}/file`, content: "evil" }]],
    "a file through its own symbolic link": () => [
      [
        { path: "out", type: "symlink", target: outside() },
        { path: "out/file", content: "evil" },
      ],
    ],
    "a file through the link of a layer below": () => [
      [{ path: "out", type: "symlink", target: outside() }],
      [{ path: "out/file", content: "evil" }],
    ],
    "a file through a relative link": () => [
      [
        { path: "out", type: "symlink", target: `${up}${outside().slice(1)}` },
        { path: "out/file", content: "evil" },
      ],
    ],
    "a directory over a link": () => [
      [{ path: "out", type: "symlink", target: outside() }],
      [
        { path: "out", type: "directory", mode: 0o777 },
        { path: "out/file", content: "evil" },
      ],
    ],
    "a hard link to a file outside": () => [
      [
        { path: "got", type: "link", target: `${up}${outside().slice(1)}/file` },
        { path: "got", content: "evil" },
      ],
    ],
    "a hard link through a link": () => [
      [
        { path: "out", type: "symlink", target: outside() },
        { path: "got", type: "link", target: "out/file" },
        { path: "got", content: "evil" },
      ],
    ],
    "a whiteout outside": () => [[{ path: "out", type: "symlink", target: outside() }], [{ path: "out/.wh.file" }]],
    "a whiteout of ..": () => [[{ path: "bin/.wh...", content: "" }]],
    "a whiteout with a path": () => [[{ path: `.wh.${up}${outside().slice(1)}/file` }]],
    "an opaque marker outside": () => [[{ path: "out", type: "symlink", target: outside() }], [{ path: "out/.wh..wh..opq" }]],
    "a long name in a PAX record": () => [[{ path: "x", content: "evil", pax: { path: `${up}${outside().slice(1)}/file` } }]],
    "a link's target in a PAX record": () => [
      [
        { path: "x", type: "link", target: "y", pax: { linkpath: `${outside()}/file` } },
        { path: "x", content: "evil" },
      ],
    ],
    "a size in a PAX record that is not the entry's": () => [[{ path: "x", content: "evil", pax: { size: "999999999999" } }]],
    "overlay's own attributes": () => [[{ path: "etc", type: "directory", pax: { "SCHILY.xattr.trusted.overlay.redirect": outside() } }]],
  };

  test.each(Object.keys(attacks))("%s", async (name) => {
    const image = await hostile(attacks[name]?.() ?? []);
    await harmless(["run", "--rm", "--pull", "never", image, "cat", "/out/file", "/got"]);
    const { stdout } = await harmless(["run", "--rm", "--pull", "never", image, "cat", "/out/file", "/got", "/etc/file"]);
    expect(stdout).not.toContain("untouched");
  });
});

describe("what the engine looks at in a root file system", () => {
  test.each(Array.from({ length: 12 }, (_, n) => n + 3))("[CVE-2024-21626] WORKDIR /proc/self/fd/%i leads nowhere", async (n) => {
    const image = await hostile([], { WorkingDir: `/proc/self/fd/${n}` });
    const reach = ["cat", `${up}${canary.slice(1)}/file`];
    for (const args of [
      ["run", "--rm", image, ...reach],
      ["run", "--rm", "-w", `/proc/self/fd/${n}`, "busybox", ...reach],
    ]) {
      expect((await harmless(args)).stdout).not.toContain("untouched");
    }
  });

  test("WORKDIR through a link is made inside", async () => {
    const image = await hostile([[{ path: "work", type: "symlink", target: canary }]], { WorkingDir: "/work/made" });
    await harmless(["run", "--rm", image, "pwd"]);
    expect(await readdir(canary)).not.toContain("made");
  });

  const passwds: Record<string, () => readonly Entry[]> = {
    "a FIFO": () => [{ path: "etc/.wh.passwd" }, { path: "etc/passwd", type: "fifo" }],
    "a device without end": () => [{ path: "etc/.wh.passwd" }, { path: "etc/passwd", type: "char", device: [1, 5] }],
    "a link to a device without end": () => [{ path: "etc/passwd", type: "symlink", target: "/dev/zero" }],
    "a directory": () => [{ path: "etc/passwd", type: "directory" }],
    "a link to the host": () => [{ path: "etc/passwd", type: "symlink", target: `${up}${canary.slice(1)}/passwd` }],
    "a hundred megabytes": () => [{ path: "etc/passwd", content: Buffer.alloc(100 << 20, "x:x:1:1::/:/bin/sh\n") }],
    "one endless line": () => [{ path: "etc/passwd", content: Buffer.alloc(20 << 20, "x") }],
    "nonsense numbers": () => [{ path: "etc/passwd", content: "evil:x:99999999999999999999:-1:::\n:::::\nevil\n" }],
  };
  test.each(Object.keys(passwds))("[CVE-2024-9676] /etc/passwd is %s", async (name) => {
    // Two layers: a whiteout and its replacement do not go into one.
    const image = await hostile((passwds[name]?.() ?? []).map((entry) => [entry]));
    expect((await harmless(["run", "--rm", "-u", "evil", image, "id"])).code).not.toBe(0);
    const group = await harmless(["run", "--rm", "-u", "1:evil", image, "id"]);
    expect(group.code).not.toBe(0);
  });

  const targets: Record<string, readonly Entry[]> = {
    "/proc is a link": [{ path: "proc", type: "symlink", target: "/tmp" }],
    "/sys is a link": [{ path: "sys", type: "symlink", target: "/tmp" }],
    "/dev is a link": [{ path: "dev", type: "symlink", target: "/tmp" }],
    "/dev/pts is a link": [{ path: "dev/pts", type: "symlink", target: "/tmp" }],
    "/dev/null is a link": [{ path: "dev/null", type: "symlink", target: "/etc/plain" }],
    "/dev/shm is a file": [{ path: "dev/shm", content: "x" }],
    "/proc is a file": [{ path: "proc", content: "x" }],
    "/etc is a link": [{ path: "etc", type: "symlink", target: "/tmp" }],
    "/etc/hosts is a FIFO": [{ path: "etc/hosts", type: "fifo" }],
  };
  test.each(Object.keys(targets))("[CVE-2025-31133] [CVE-2025-62161] %s", async (name) => {
    const image = await hostile([[{ path: `${targets[name]?.[0]?.path.replace(/([^/]+)$/, ".wh.$1")}` }], targets[name] ?? []]);
    const result = await harmless([
      "run",
      "--rm",
      image,
      "sh",
      "-c",
      "echo /proc/1/status; (echo x > /proc/sysrq-trigger) 2>/dev/null && echo written",
    ]);
    expect(result.stdout).not.toContain("written");
    // Either it is refused, or what is at /proc is a procfs with its masks.
    if (result.code === 0 || result.code === 1) {
      const { stdout } = await harmless([
        "run",
        "--rm",
        image,
        "sh",
        "-c",
        "grep -c . /proc/self/mountinfo; head -c 1 /proc/kcore | wc -c",
      ]);
      expect(stdout).toMatch(/^[1-9]\d*\n0\n$/);
    }
  });

  test("[CVE-2021-30465] a mount's target through links stays inside", async () => {
    const image = await hostile([
      [
        { path: "data", type: "symlink", target: canary },
        { path: "deep", type: "symlink", target: `${up}${canary.slice(1)}/file` },
      ],
    ]);
    const source = join(here().folder, "source");
    await mkdir(source, { recursive: true });
    for (const target of ["/data/new", "/data", "/deep"]) {
      await harmless(["run", "--rm", "-v", `${source}:${target}`, image, "true"]);
      await harmless(["run", "--rm", "--tmpfs", target, image, "true"]);
    }
  });

  test("[CVE-2024-45310] /etc/hosts, hostname and resolv.conf that are links to the host", async () => {
    const links = ["hosts", "hostname", "resolv.conf"].map(
      (name): Entry => ({ path: `etc/${name}`, type: "symlink", target: `${canary}/${name}` }),
    );
    const image = await hostile([links]);
    await harmless(["run", "--rm", image, "true"]);
    expect((await readdir(canary)).sort()).toEqual(["file", "passwd"]);
  });

  test("an interpreter that is /proc/self/exe", async () => {
    const image = await hostile([[{ path: "bin/evil", content: "#!/proc/self/exe\n", mode: 0o755 }]]);
    await harmless(["run", "--rm", image, "/bin/evil"]);
  });
});
