import { type ByteStream, type Platform, RamekinError } from "@ramekin/core";
import { describe, expect, test } from "vitest";
import { digest, imageDetails, imageInfo } from "./samples.ts";
import { ramekin } from "./world.ts";

const day = 86_400_000;

describe("ramekin images", () => {
  const all = [
    imageInfo(),
    imageInfo({ id: digest("c"), name: "localhost:5000/team/app:1.0", createdAt: new Date(Date.now() - day), size: 1_234_567 }),
    imageInfo({ id: digest("c"), name: "localhost:5000/team/app:latest", createdAt: new Date(Date.now() - day), size: 1_234_567 }),
    (({ name: _, createdAt: __, ...untagged }) => untagged)(imageInfo({ id: digest("d") })),
  ];
  const engine = {
    images: async () => all,
    image: async (name: string) => {
      const info = all.find(({ id }) => id === name);
      return imageDetails({
        ...info,
        config: { ...imageDetails().config, config: { Labels: name === digest("b") ? { os: "debian" } : null } },
      });
    },
  };
  const images = (...argv: string[]) => ramekin(["images", ...argv], { engine });
  const names = async (...argv: string[]) =>
    (await images(...argv, "--format", "{{.Repository}}:{{.Tag}}")).stdout.trim().split("\n").join(" ");

  test("the table is Docker's, newest first", async () => {
    expect((await images()).stdout).toBe(
      [
        "REPOSITORY                TAG       IMAGE ID       CREATED        SIZE",
        "localhost:5000/team/app   1.0       cccccccccccc   24 hours ago   1.23MB",
        "localhost:5000/team/app   latest    cccccccccccc   24 hours ago   1.23MB",
        "debian                    12        bbbbbbbbbbbb   3 days ago     48.5MB",
        "",
      ].join("\n"),
    );
  });

  test("[images --all] shows those without a name", async () => {
    expect(await names("-a")).toBe("localhost:5000/team/app:1.0 localhost:5000/team/app:latest debian:12 <none>:<none>");
  });

  test("[images --quiet] [images --no-trunc] each id once", async () => {
    expect((await images("-q")).stdout).toBe("cccccccccccc\nbbbbbbbbbbbb\n");
    expect((await images("-q", "--no-trunc")).stdout).toBe(`${digest("c")}\n${digest("b")}\n`);
  });

  test("[images --noheading] [images --sort] are podman's", async () => {
    const column = async (field: string, ...argv: string[]) =>
      (await images("-n", "--format", `table {{.${field}}}`, ...argv)).stdout.trim().split("\n").join(" ");
    expect(await column("Tag")).toBe("1.0 latest 12");
    expect(await column("Tag", "--sort", "created")).toBe("1.0 latest 12");
    expect(await column("Tag", "--sort", "tag")).toBe("1.0 12 latest");
    expect(await column("Repository", "--sort", "repository")).toBe("debian localhost:5000/team/app localhost:5000/team/app");
    expect(await column("Size", "--sort", "size")).toBe("1.23MB 1.23MB 48.5MB");
    expect(await column("ID", "--sort", "id")).toBe("bbbbbbbbbbbb cccccccccccc cccccccccccc");
    expect((await images("--noheading", "debian")).stdout).toMatch(/^debian .*\n$/);
    // Only a table has a heading.
    expect((await images("-n", "-q")).stdout).toBe("cccccccccccc\nbbbbbbbbbbbb\n");
    expect((await images("-n", "--format", "{{.Tag}}", "debian")).stdout).toBe("12\n");
    expect(await images("--history")).toMatchObject({ status: 125, stderr: expect.stringContaining("not kept") });
  });

  test("[images --digests] adds a column", async () => {
    const [head, first] = (await images("--digests", "debian")).stdout.split("\n");
    expect(head).toMatch(/^REPOSITORY {3}TAG {7}DIGEST {10,}IMAGE ID/);
    expect(first).toContain(digest("b"));
  });

  test("[images --format] JSON, tables and templates", async () => {
    expect(JSON.parse((await images("--format", "json", "debian")).stdout)).toMatchObject({
      Repository: "debian",
      Tag: "12",
      ID: "bbbbbbbbbbbb",
      Size: "48.5MB",
    });
    expect((await images("--format", "table {{.Repository}}\\t{{.CreatedSince}}", "debian")).stdout).toBe(
      "REPOSITORY   CREATED\ndebian       3 days ago\n",
    );
  });

  test.each([
    [["dangling=true"], "<none>:<none>"],
    [["dangling=false"], "localhost:5000/team/app:1.0 localhost:5000/team/app:latest debian:12"],
    [["reference=deb*"], "debian:12"],
    [["reference=*:5000/*/app:1*"], "localhost:5000/team/app:1.0"],
    [["label=os"], "debian:12"],
    [["label=os=fedora"], ""],
    [["before=localhost:5000/team/app"], "debian:12"],
    [["since=debian"], "localhost:5000/team/app:1.0 localhost:5000/team/app:latest"],
  ])("[images --filter] %j", async (filters, expected) => {
    expect(await names(...filters.flatMap((filter) => ["--filter", filter]))).toBe(expected);
  });

  test("a name chooses its tags", async () => {
    expect(await names("localhost:5000/team/app")).toBe("localhost:5000/team/app:1.0 localhost:5000/team/app:latest");
    expect(await names("debian:11")).toBe("");
    expect(await names("docker.io/library/debian:12")).toBe("debian:12");
  });
});

describe("ramekin pull", () => {
  async function pull(argv: readonly string[], upToDate = false) {
    let asked: { readonly platform?: Platform } = {};
    const ran = await ramekin(["pull", ...argv], {
      engine: {
        pull: async (_, { onProgress, platform } = {}) => {
          asked = { ...(platform && { platform }) };
          const blob = { digest: digest("e"), mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", total: 100 };
          onProgress?.({
            ...blob,
            digest: digest("9"),
            mediaType: "application/vnd.oci.image.config.v1+json",
            status: "done",
            current: 100,
          });
          for (const [status, current] of [
            ["waiting", 0],
            ["downloading", 10],
            ["downloading", 90],
            ["done", 100],
          ] as const)
            onProgress?.({ ...blob, status, current });
          onProgress?.({ ...blob, digest: digest("f"), status: "exists", current: 100 });
          return imageInfo({ upToDate });
        },
      },
    });
    return { ...ran, asked };
  }

  test("says what Docker says", async () => {
    expect((await pull(["debian"])).stdout).toBe(
      [
        "Using default tag: latest",
        "latest: Pulling from library/debian",
        "eeeeeeeeeeee: Pulling fs layer",
        "eeeeeeeeeeee: Download complete",
        "ffffffffffff: Already exists",
        `Digest: ${digest("b")}`,
        "Status: Downloaded newer image for debian:latest",
        "docker.io/library/debian:latest",
        "",
      ].join("\n"),
    );
    expect((await pull(["localhost:5000/app:1"], true)).stdout).toMatch(
      /^1: Pulling from app\n[\s\S]*Status: Image is up to date for localhost:5000\/app:1\n/,
    );
  });

  test("[pull --quiet] prints the name alone", async () => {
    expect((await pull(["-q", "debian"])).stdout).toBe("docker.io/library/debian:latest\n");
  });

  test("[pull --platform] chooses", async () => {
    expect((await pull(["--platform", "linux/arm64", "debian"])).asked).toEqual({ platform: { os: "linux", architecture: "arm64" } });
  });
});

describe("the other verbs of images", () => {
  test("tag", async () => {
    const calls: unknown[] = [];
    expect(await ramekin(["tag", "a", "b"], { engine: { tag: async (...names) => void calls.push(names) } })).toMatchObject({
      status: 0,
      stdout: "",
    });
    expect(calls).toEqual([["a", "b"]]);
    expect(await ramekin(["tag", "a"])).toMatchObject({ status: 1, stderr: expect.stringContaining("requires 2 arguments") });
  });

  test("[rmi --all] [rmi --ignore] are podman's", async () => {
    const asked: string[] = [];
    const engine = {
      images: async () => [imageInfo(), (({ name: _, ...untagged }) => untagged)(imageInfo({ id: digest("d") }))],
      removeImage: async (name: string) => {
        asked.push(name);
        if (name.includes("absent")) throw new RamekinError("NOT_FOUND", `no such image: ${name}`);
        return [{ deleted: digest("b") }];
      },
    };
    expect(await ramekin(["rmi", "--all"], { engine })).toMatchObject({ status: 0, stderr: "" });
    expect(asked.splice(0)).toEqual([imageInfo().name, digest("d")]);
    expect(await ramekin(["rmi", "-a", "one"], { engine })).toMatchObject({ status: 125, stderr: expect.stringContaining("name none") });
    expect(await ramekin(["rmi"], { engine })).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("requires at least 1 argument"),
    });
    expect(asked).toEqual([]);
    expect(await ramekin(["rmi", "--ignore", "absent", "here"], { engine })).toMatchObject({ status: 0, stderr: "" });
    expect(await ramekin(["rmi", "absent", "here"], { engine })).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("no such image"),
    });
    expect(asked).toEqual(["absent", "here", "absent", "here"]);
  });

  test("[rmi --force] forgives what is not there", async () => {
    const calls: unknown[] = [];
    const engine = {
      removeImage: async (name: string, options: object = {}) => {
        if (name === "nothing") throw new RamekinError("NOT_FOUND", "no such image: nothing");
        calls.push([name, options]);
        return [{ untagged: "docker.io/library/debian:12" }, { deleted: digest("b") }];
      },
    };
    expect(await ramekin(["rmi", "-f", "nothing", "debian:12"], { engine })).toMatchObject({
      status: 0,
      stdout: `Untagged: debian:12\nDeleted: ${digest("b")}\n`,
      stderr: "ramekin: no such image: nothing\n",
    });
    expect(await ramekin(["image", "rm", "nothing"], { engine })).toMatchObject({ status: 1 });
    expect(calls).toEqual([["debian:12", { force: true }]]);
  });

  test("[load --input] [load --quiet] from a file, or from stdin", async () => {
    const sources: unknown[] = [];
    const engine = {
      load: async (source: string | ByteStream) => {
        if (typeof source === "string") sources.push(source);
        else for await (const chunk of source) sources.push(Buffer.from(chunk).toString());
        return [imageInfo(), (({ name: _, ...rest }) => rest)(imageInfo())];
      },
    };
    expect(await ramekin(["load", "-i", "a.tar"], { engine })).toMatchObject({
      status: 0,
      stdout: `Loaded image: debian:12\nLoaded image ID: ${digest("b")}\n`,
    });
    expect(await ramekin(["load", "-q"], { engine, stdin: "tar" })).toMatchObject({
      status: 0,
      stdout: expect.stringContaining("Loaded image: debian:12\n"),
    });
    expect(sources).toEqual(["a.tar", "tar"]);
    expect(await ramekin(["load"], { engine, inputIsTerminal: true })).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("stdin is empty"),
    });
  });

  test("[image inspect --platform] chooses", async () => {
    let asked: unknown;
    const engine = {
      image: async (_: string, options: object = {}) => {
        asked = options;
        return imageDetails();
      },
    };
    await ramekin(["image", "inspect", "--platform", "linux/arm64", "debian"], { engine });
    expect(asked).toEqual({ platform: { os: "linux", architecture: "arm64" } });
  });
});
