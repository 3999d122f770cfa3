import { evaluateStages, parseDockerfile, resolveStages } from "@ramekin/dockerfile";
import { expect, test } from "vitest";
import { image, type Recipe } from "../src/recipe.ts";

const platform = { os: "linux", architecture: "amd64" } as const;

/** What a Dockerfile of a recipe comes to. */
function evaluated(recipe: Recipe) {
  const options = { platforms: { target: platform, build: platform }, bases: new Map() };
  const evaluation = evaluateStages(resolveStages(parseDockerfile(recipe.toDockerfile()), options));
  return { ...evaluation, image: evaluation.target.image.config ?? {}, steps: evaluation.target.steps };
}

test("a recipe is a Dockerfile: stages by what they need, each once", () => {
  const base = image.from("debian:12").run("apt-get update");
  const build = base
    .as("build")
    .workdir("/src")
    .copy(["package.json", "package-lock.json"], "./")
    .run("npm ci", { mounts: [{ type: "cache", target: "/root/.npm", sharing: "locked" }], network: "host" });
  const site = image
    .from(base, { platform: "linux/amd64" })
    .copy("/src/dist", "/srv/", { from: build, chown: "1:2", exclude: ["*.map"] })
    .copy("/etc/x", "/x", { from: "busybox", link: true, chmod: "0644" })
    .run(["true", "a b"], { mounts: [{ type: "bind", target: "/b", from: build, source: "/src", writable: true }] });
  expect(site.toDockerfile()).toBe(`FROM debian:12 AS stage-0
RUN apt-get update

FROM debian:12 AS build
RUN apt-get update
WORKDIR /src
COPY package.json package-lock.json ./
RUN --mount=type=cache,target=/root/.npm,sharing=locked --network=host npm ci

FROM --platform=linux/amd64 stage-0
COPY --from=build --chown=1:2 --exclude=*.map /src/dist /srv/
COPY --from=busybox --chmod=0644 --link /etc/x /x
RUN --mount=type=bind,target=/b,from=build,source=/src,rw ["true","a b"]
`);
  expect(evaluated(site).stages.map(({ stage }) => stage.name)).toEqual(["stage-0", "build", "stage-2"]);
});

test("each method gives another recipe: the one before stays", () => {
  const base = image.scratch().env({ A: "1" });
  const [one, two] = [base.user("one"), base.user("two")];
  expect([base, one, two].map((recipe) => recipe.toDockerfile().trim().split("\n").slice(2))).toEqual([[], ["USER one"], ["USER two"]]);
});

test("values come out as they went in, but for variables", () => {
  const odd = 'it\'s "odd" \\ back\\slash # no comment = $A \\$A  two  blanks ';
  const { image: config } = evaluated(
    image
      .scratch()
      .arg("VERSION", "1 2")
      .env({ A: "a" })
      .env({ EMPTY: "", ODD: odd, PATH: "/opt:$PATH", FROM_ARG: "$VERSION" })
      .label({ "with space": odd, plain: "x" })
      .workdir("/a b/it's\\c")
      .user("$A")
      .expose(80, "443/udp")
      .volume("/v w", "/x")
      .shell(["/bin/bash", "-ec"])
      .entrypoint(["sh", "-c", "echo \"$A\" 'b'"])
      .cmd("serve --port 80")
      .stopSignal("SIGINT")
      .healthcheck({ command: ["test", "-e", "/ok"], interval: "5s", startPeriod: "1m", retries: 3 }),
  );
  const literal = 'it\'s "odd" \\ back\\slash # no comment = a $A  two  blanks ';
  const value = (name: string) => config.Env?.find((variable) => variable.startsWith(`${name}=`))?.slice(name.length + 1);
  expect([value("EMPTY"), value("ODD"), value("FROM_ARG")]).toEqual(["", literal, "1 2"]);
  expect(value("PATH")).toMatch(/^\/opt:\/usr/);
  expect(config).toMatchObject({
    Labels: { "with space": literal, plain: "x" },
    WorkingDir: "/a b/it's\\c",
    User: "a",
    ExposedPorts: { "80/tcp": {}, "443/udp": {} },
    Volumes: { "/v w": {}, "/x": {} },
    Shell: ["/bin/bash", "-ec"],
    Entrypoint: ["sh", "-c", "echo \"$A\" 'b'"],
    Cmd: ["/bin/bash", "-ec", "serve --port 80"],
    StopSignal: "SIGINT",
    Healthcheck: { Test: ["CMD", "test", "-e", "/ok"], Interval: 5e9, StartPeriod: 60e9, Retries: 3 },
  });
});

test("commands of several lines, files with a text, odd names", () => {
  const text = "first $A \"'\\\nEOF\nlast";
  const { steps } = evaluated(
    image
      .scratch()
      .run("set -e\ncat <<X\n$A\nX\n")
      .run("echo ends with \\")
      .run("#!/usr/bin/env python3\nprint(1)\n")
      .write("/etc/file", text, { chmod: "600", chown: "1:1" })
      .copy(["a b", "it's", "[x]", "-y"], "/to here/")
      .add("https://example.com/x.tgz", "/x/", { checksum: `sha256:${"0".repeat(64)}`, unpack: true }),
  );
  expect(steps).toMatchObject([
    { type: "run", arguments: ["/bin/sh", "-c", "set -e\ncat <<X\n$A\nX\n"] },
    { type: "run", arguments: ["/bin/sh", "-c", "echo ends with \\\n"] },
    { type: "run", script: { content: "#!/usr/bin/env python3\nprint(1)\n" } },
    { type: "copy", files: [{ content: `${text}\n` }], destination: "/etc/file", chmod: "600", chown: "1:1" },
    { type: "copy", sources: ["a b", "it's", "[x]", "-y"], destination: "/to here/" },
    { type: "add", sources: ["https://example.com/x.tgz"], unpack: true },
  ]);
});

test("mounts, with all they take", () => {
  const seed = image.scratch().write("/seed/x", "x");
  const { steps } = evaluated(
    image.scratch().run("make", {
      mounts: [
        {
          type: "cache",
          target: "/c",
          id: "c",
          sharing: "private",
          readOnly: true,
          from: seed,
          source: "/seed",
          mode: 0o750,
          uid: 1,
          gid: 2,
        },
        { type: "tmpfs", target: "/t", size: 1024 },
        { type: "secret", id: "token", env: "TOKEN", required: true, mode: 0o440 },
        { type: "ssh", id: "git", required: true },
      ],
    }),
  );
  const seeded = { id: "c", sharing: "private", readonly: true, mode: 0o750, uid: 1, gid: 2, origin: { kind: "stage", index: 0 } };
  expect(steps).toMatchObject([
    {
      mounts: [
        { type: "cache", destination: "/c", ...seeded },
        { type: "tmpfs", destination: "/t", size: 1024 },
        { type: "secret", id: "token", env: "TOKEN", required: true, mode: 0o440 },
        { type: "ssh", id: "git", required: true },
      ],
    },
  ]);
});

test("what a Dockerfile cannot say is refused, not bent", () => {
  const scratch = image.scratch();
  for (const [make, said] of [
    [() => scratch.write("/a b", ""), "cannot have blanks"],
    [() => scratch.env({ A: "two\nlines" }), "cannot have a line break"],
    [() => scratch.env({}), "nothing to set"],
    [() => scratch.copy("x", "/x", { chown: "a b" }), "--chown cannot have blanks"],
    [() => scratch.copy([], "/x"), "COPY needs something to copy"],
    [() => scratch.run("x", { mounts: [{ type: "cache", target: "/a,b" }] }), '"/a,b" cannot have a blank, comma'],
    [() => scratch.as("Not A Name"), "is no name for a stage"],
    [() => scratch.cmd("a\nb"), "CMD reads otherwise"],
    [() => image.from(scratch.as("x")).copy("a", "b", { from: image.scratch().as("x") }), "two stages are called x"],
  ] as const)
    expect(() => make().toDockerfile()).toThrow(said);
});
