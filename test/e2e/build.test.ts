import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { busyboxImage, succeed, useKitchen } from "../support/index.ts";

const here = useKitchen(async () => ({ images: [await busyboxImage()] }));
const ramekin = (...args: string[]) => here().ramekin(args);
const output = (...args: string[]) => here().output(args);
const inspect = async (name: string) => JSON.parse(await output("image", "inspect", name))[0];

/** A build context: paths and what is in them. */
async function context(name: string, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = join(here().folder, name);
  for (const [path, content] of Object.entries(files)) {
    await mkdir(join(folder, path, ".."), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  return folder;
}

const lines = (...all: string[]) => `${all.join("\n")}\n`;

test("[build --tag] [build --progress] stages, copies, arguments; a second time nothing is done and the image is the same", async () => {
  const folder = await context("kitchen", {
    Dockerfile: lines(
      "ARG BASE=busybox",
      "FROM $BASE AS mill",
      "WORKDIR /mill",
      "COPY --chown=12:34 grain ./",
      "RUN cat grain > flour && chmod 640 flour && echo ground 1>&2",
      "FROM $BASE AS unused",
      "RUN false",
      "FROM $BASE",
      "ARG DISH=bread",
      'ENV MEAL="$DISH and butter" WORK=/srv',
      "WORKDIR $WORK/table",
      "COPY --from=mill /mill ./mill",
      "COPY --from=0 /mill/flour /flour",
      "COPY . .",
      "ADD archive.tar.gz /added/",
      "RUN <<EOF",
      "echo $DISH > dish",
      "ln -s dish link",
      "EOF",
      "EXPOSE 80 443/udp",
      "VOLUME /kept",
      "USER 12:34",
      "STOPSIGNAL SIGINT",
      'LABEL course=main "two words"=yes',
      "HEALTHCHECK --interval=5s CMD test -e /flour",
      'ENTRYPOINT ["cat"]',
      'CMD ["dish"]',
    ),
    grain: "wheat\n",
    ".dockerignore": "*.log\n!kept.log\n",
    "noise.log": "no\n",
    "kept.log": "yes\n",
    "sub/file": "deep\n",
  });
  await mkdir(join(folder, "in"));
  await writeFile(join(folder, "in", "packed"), "packed\n");
  await succeed(["tar", "-czf", join(folder, "archive.tar.gz"), "-C", join(folder, "in"), "packed"]);
  await symlink("grain", join(folder, "link-to-grain"));

  const first = await ramekin("build", "-t", "meal", "--tag", "meal:two", "--progress", "plain", folder);
  expect([first.code, first.stdout], first.stderr).toEqual([0, ""]);
  expect(first.stderr).toMatch(/^#\d+ \[mill 4\/4\] RUN cat grain.*$/m);
  expect(first.stderr).toMatch(/^#\d+ [\d.]+ ground$/m);
  expect(first.stderr).not.toContain("RUN false");
  const image = await inspect("meal");
  const again = await ramekin("build", "-t", "meal", folder);
  expect(again.stderr.match(/^#\d+ CACHED$/gm)?.length).toBe(
    new Set(first.stderr.match(/^#\d+(?= \[(?!internal)[^\]]*\] (?!FROM ))/gm)).size,
  );
  expect((await inspect("meal")).Id).toBe(image.Id);

  expect(await output("run", "--rm", "meal")).toBe("bread");
  expect(await output("run", "--rm", "--entrypoint", "sh", "meal", "-c", "id -u; echo $MEAL; pwd; ls -A; cat link /added/packed")).toBe(
    [
      "12",
      "bread and butter",
      "/srv/table",
      ...[".dockerignore", "Dockerfile", "archive.tar.gz", "dish", "grain", "in", "kept.log", "link", "link-to-grain", "mill", "sub"],
      ...["bread", "packed"],
    ].join("\n"),
  );
  expect(await output("run", "--rm", "--entrypoint", "stat", "meal", "-c", "%u:%g %a %n", "/flour", "mill/grain", "kept.log")).toBe(
    "0:0 640 /flour\n12:34 644 mill/grain\n0:0 644 kept.log",
  );
  expect(image.Config).toMatchObject({
    User: "12:34",
    WorkingDir: "/srv/table",
    Entrypoint: ["cat"],
    Cmd: ["dish"],
    StopSignal: "SIGINT",
    Labels: { course: "main", "two words": "yes" },
    ExposedPorts: { "80/tcp": {}, "443/udp": {} },
    Volumes: { "/kept": {} },
  });
  expect(await output("history", "--format", "{{.CreatedBy}}", "meal:two")).toContain('CMD ["dish"]');

  await writeFile(join(folder, "sub/file"), "changed\n");
  const changed = (await ramekin("build", "-t", "meal", folder)).stderr;
  expect(changed).toMatch(/COPY --from=0 .*\n#\d+ CACHED/);
  expect(changed).toMatch(/COPY \. \.\n#\d+ DONE/);
});

test("[build --build-arg] [build --target] [build --label] [build --file] [build --no-cache] [build --quiet] [build --iidfile] [build --metadata-file] [build --platform]", async () => {
  const folder = await context("flags", {
    "sub/Cookfile": lines(
      "FROM busybox AS first",
      "ARG SPICE",
      "ARG TARGETARCH",
      "RUN echo $SPICE-$TARGETARCH > /spice",
      "FROM first AS second",
      "RUN cat /proc/sys/kernel/random/uuid > /random",
    ),
  });
  const build = (...flags: string[]) => output("build", "--quiet", "-f", join(folder, "sub/Cookfile"), ...flags, folder);
  const files = [join(folder, "iid"), join(folder, "metadata")] as const;
  const id = await build(
    "--target",
    "first",
    "--build-arg",
    "SPICE=mace",
    "--label",
    "a=b",
    "--iidfile",
    files[0],
    "--metadata-file",
    files[1],
  );
  expect(id).toMatch(/^sha256:[0-9a-f]{64}$/);
  expect(await readFile(files[0], "utf8")).toBe(id);
  expect(JSON.parse(await readFile(files[1], "utf8"))).toMatchObject({ "containerimage.digest": id });
  expect(await output("run", "--rm", id, "cat", "/spice")).toBe("mace-amd64");
  expect((await inspect(id)).Config.Labels).toEqual({ a: "b" });
  const random = async (...flags: string[]) => output("run", "--rm", await build("--platform", "linux/amd64", ...flags), "cat", "/random");
  const once = await random();
  expect(await random()).toBe(once);
  expect(await random("--no-cache")).not.toBe(once);
  // Another argument is another input, of the step that has it and of all after it.
  expect(await random("--build-arg", "SPICE=salt")).not.toBe(once);
});

test("[build --secret] a secret is there for its step and nowhere else; a cache mount stays from build to build", async () => {
  const folder = await context("secrets", {
    Dockerfile: lines(
      "FROM busybox",
      "ARG ROUND",
      "RUN --mount=type=secret,id=token,required=true --mount=type=cache,target=/cache " +
        "sha256sum < /run/secrets/token && stat -c %a /run/secrets/token && echo $ROUND >> /cache/rounds && cat /cache/rounds > /rounds",
      "RUN --mount=type=tmpfs,target=/scratch --network=none touch /scratch/x && ! test -e /run/secrets/token && ls /sys/class/net > /net",
    ),
    token: "a-very-secret-word",
  });
  const build = (round: string, ...flags: string[]) => ramekin("build", "-t", "safe", "--build-arg", `ROUND=${round}`, ...flags, folder);
  expect(await build("1")).toMatchObject({ code: 1, stderr: expect.stringContaining("secret token: not found") });
  const secret = ["--secret", `id=token,src=${join(folder, "token")}`];
  const { code, stderr } = await build("1", ...secret);
  expect([code, stderr]).toEqual([0, expect.stringMatching(/^#\d+ [\d.]+ 400$/m)]);
  expect((await build("2", ...secret)).code).toBe(0);
  const script = "cat /rounds /net; ls -d /scratch /cache /run/secrets 2>/dev/null || true";
  expect(await output("run", "--rm", "safe", "sh", "-c", script)).toBe("1\n2\nlo");
  for (const folderOf of [here().root, here().runRoot]) {
    const { stdout } = await succeed(["sh", "-c", `grep -rlaF a-very-secret-word ${folderOf} || true`]);
    expect(stdout).toBe("");
  }
});

test("[build --network] what goes wrong has its place, and leaves nothing running", async () => {
  const folder = await context("wrong", { Dockerfile: lines("FROM busybox", "RUN echo before", "RUN echo last words; exit 7") });
  const failed = await ramekin("build", "--network", "none", folder);
  expect([failed.code, failed.stdout]).toEqual([1, ""]);
  expect(failed.stderr).toMatch(/ > \[3\/3\] RUN echo last words; exit 7:\n[\d.]+ last words\n/);
  expect(failed.stderr).toMatch(/Dockerfile:3\n-{20}\n {3}1 \| {5}FROM busybox\n {3}2 \| .*\n {3}3 \| >>> RUN echo last words; exit 7\n/);
  // What to type for a look: the same command, as it was given.
  expect(failed.stderr).toContain(`hint: a shell where it failed: ramekin build --network=none --on-error=shell ${folder}\n`);
  expect(failed.stderr).toContain('process "/bin/sh -c echo last words; exit 7" did not complete successfully: exit code: 7');
  for (const [text, said] of [
    ["FROM busybox\nRUNN true\n", "unknown instruction: RUNN"],
    ["FROM busybox\nCOPY nothing /\n", '"/nothing": not found'],
    ["FROM busybox\nCOPY --from=nowhere.invalid/x /a /\n", "nowhere.invalid"],
    ["# check=error=true\nFROM busybox\nCMD sh\n", "JSONArgsRecommended"],
    ["FROM busybox\nRUN --security=insecure true\n", "security.insecure is not allowed"],
    ["FROM busybox\nRUN --mount=type=bind,source=nothing,target=/x true\n", '"nothing": not found'],
    ["# syntax=example.com/other\nFROM busybox\n", "example.com/other cannot be run"],
  ] as const) {
    await writeFile(join(folder, "Dockerfile"), text);
    const { code, stderr } = await ramekin("build", folder);
    expect([code, stderr]).toEqual([1, expect.stringContaining(said)]);
  }
  expect(await output("ps", "-aq")).toBe("");
  expect((await ramekin("build", join(folder, "absent"))).code).toBe(1);
  expect((await readdir(join(here().runRoot, "builds")).catch(() => [])).length).toBe(0);
});

test("bind mounts: files of the context and of stages are seen by one step, and what it writes there is gone", async () => {
  const folder = await context("binds", {
    Dockerfile: lines(
      "FROM busybox AS made",
      "RUN mkdir /made && echo made > /made/file",
      "FROM busybox",
      "WORKDIR /work",
      "RUN --mount=type=bind,target=. ls -A > /seen && ! touch nothing",
      "RUN --mount=type=bind,source=sub/file,target=/one cat /one >> /seen",
      "RUN --mount=type=bind,from=made,source=/made,target=/from,rw cat /from/file >> /seen && touch /from/new && ls /from >> /seen",
      "RUN ls -A /work >> /seen; test ! -e /one && test ! -e /from",
    ),
    "sub/file": "deep\n",
    ".dockerignore": "*.log\n",
    "noise.log": "",
  });
  const { code, stderr } = await ramekin("build", "-t", "bound", folder);
  expect(code, stderr).toBe(0);
  expect((await output("run", "--rm", "bound", "cat", "/seen")).split("\n")).toEqual([
    ".dockerignore",
    "Dockerfile",
    "sub",
    "deep",
    "made",
    "file",
    "new",
  ]);
  await writeFile(join(folder, "sub/file"), "deeper\n");
  const again = (await ramekin("build", "-t", "bound", folder)).stderr;
  expect(again).toMatch(/source=sub\/file.*\n#\d+ DONE/);
});

test("[build --pull] links in the context lead nowhere out of it, and an image's own links nowhere out of the image", async () => {
  const folder = await context("links", {
    Dockerfile: lines("FROM busybox", "RUN ln -s /etc /lead", "COPY file /lead/here", "COPY in /copied"),
    file: "f\n",
  });
  await mkdir(join(folder, "in"));
  await symlink("/etc/hostname", join(folder, "in/out"));
  expect((await ramekin("build", "--pull=false", "-t", "linked", folder)).code).toBe(0);
  expect(await output("run", "--rm", "linked", "sh", "-c", "cat /etc/here; readlink /copied/out")).toBe("f\n/etc/hostname");
  await writeFile(join(folder, "Dockerfile"), "FROM busybox\nCOPY in/out /\n");
  expect(await ramekin("build", folder)).toMatchObject({ code: 1, stderr: expect.stringContaining("not found") });
});

test("[builder prune --force] [builder prune --filter] [builder prune --all] what builds remember can be forgotten", async () => {
  const folder = await context("forgotten", { Dockerfile: lines("FROM busybox", "RUN date > /date; echo forgotten") });
  const again = async () => /^#\d+ CACHED$/m.test((await ramekin("build", folder)).stderr);
  expect([await again(), await again()]).toEqual([false, true]);
  await output("builder", "prune", "--force", "--filter", "until=24h");
  expect(await again()).toBe(true);
  // A record keeps its layer, though no image has it any more.
  await output("image", "prune", "-f");
  expect(await again()).toBe(true);
  expect(await output("builder", "prune", "-f", "--all")).toMatch(/^Total reclaimed space: /);
  expect(await again()).toBe(false);
});
