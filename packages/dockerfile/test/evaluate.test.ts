import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type ContainerImageConfig, type ImageRunConfig, parseImageConfig } from "@ramekin/oci";
import { expect, test } from "vitest";
import { parseMount, type RunStep, type Step, type TransferStep } from "../src/index.ts";
import { evaluate } from "./resolve.ts";

interface Recorded {
  readonly images: { readonly debian: ContainerImageConfig; readonly trig: ContainerImageConfig };
  readonly cases: readonly {
    readonly name: string;
    readonly text: readonly string[];
    readonly args: Readonly<Record<string, string>>;
    readonly expected?: { readonly config: ImageRunConfig; readonly history?: readonly object[]; readonly author?: string };
    readonly error?: string;
  }[];
}

/** Configurations and histories that BuildKit v0.34.2 makes of Dockerfiles of ours, and its complaints. */
const { images, cases } = JSON.parse(readFileSync(join(import.meta.dirname, "testdata/images.json"), "utf8")) as Recorded;
const known = { debian: images.debian, "trig:1": images.trig };

test.each(cases)("[BLD-1] [BLD-3] configuration and history as in Docker: $name", ({ text, args, expected, error }) => {
  const run = () => evaluate(text.join("\n"), { args, images: known }).target.image;
  if (error !== undefined || !expected) {
    expect(run).toThrow(error);
    return;
  }
  const { config = {}, history = [], author } = run();
  // What is empty is absent in one and null in the other.
  const { config: wanted } = parseImageConfig(
    new TextEncoder().encode(JSON.stringify({ ...expected, rootfs: { type: "layers", diff_ids: [] } })),
  );
  expect(config).toEqual(wanted);
  expect(history.map(({ comment: _, ...entry }) => entry)).toEqual(expected.history ?? []);
  expect(author).toBe(expected.author);
});

const runs = (steps: readonly Step[]) => steps.filter((step): step is RunStep => step.type === "run");
const transfers = (steps: readonly Step[]) => steps.filter((step): step is TransferStep => step.type === "copy" || step.type === "add");

test("[BLD-4] mounts of RUN, with variables expanded and defaults filled in", () => {
  const { target } = evaluate(`FROM scratch AS tools
FROM debian
ARG V=1
WORKDIR /w
RUN --mount=type=cache,target=c/$V,sharing=LOCKED,uid=5,mode=0700 --mount=from=tools,src=/a,dst=/b,rw --mount=from=busybox,target=/bb \\
    --mount=type=tmpfs,target=/t,size=1.5k --mount=type=secret,id=dir/tok --mount=type=secret,id=e,env=E,required \\
    --mount=type=ssh x`);
  const [run] = runs(target.steps);
  expect(run?.mounts).toEqual([
    {
      type: "cache",
      target: "c/1",
      sharing: "locked",
      uid: 5,
      mode: 0o700,
      id: "c/1",
      readonly: false,
      required: false,
      destination: "/w/c/1",
    },
    {
      type: "bind",
      from: "tools",
      source: "/a",
      target: "/b",
      readonly: false,
      required: false,
      origin: { kind: "stage", index: 0 },
      destination: "/b",
    },
    {
      type: "bind",
      from: "busybox",
      target: "/bb",
      readonly: true,
      required: false,
      origin: { kind: "image", reference: "docker.io/library/busybox:latest", platform: { os: "linux", architecture: "amd64" } },
      destination: "/bb",
    },
    { type: "tmpfs", target: "/t", size: 1536, readonly: false, required: false, destination: "/t" },
    { type: "secret", id: "dir/tok", readonly: true, required: false, destination: "/run/secrets/tok" },
    { type: "secret", id: "e", env: "E", readonly: true, required: true },
    { type: "ssh", id: "default", readonly: true, required: false },
  ]);
  expect([...target.secrets]).toMatchObject([
    ["dir/tok", { required: false }],
    ["e", { required: true }],
  ]);
  expect(run?.environment).toContain("V=1");
  expect(run).toMatchObject({ directory: "/w", network: "default", security: "sandbox", title: expect.stringMatching(/^RUN --mount/) });
});

test.each([
  ["1k", 1024],
  ["1.5 KiB", 1536],
  [".5mb", 524_288],
  ["3G", 3_221_225_472],
  ["1e3", 1000],
  ["7b", 7],
])("[BLD-4] size=%s of a tmpfs, as Docker reads sizes", (size, bytes) => {
  expect(parseMount(`type=tmpfs,target=/t,size=${size}`, (value) => value).size).toBe(bytes);
});

test.each<[string, string]>([
  ["type=secret", "invalid secret mount. one of source, target required"],
  ["type=secret,id=a,source=b", "both source and id can't be set"],
  ["type=secret,id=a,from=b", "secret mount should not have a from"],
  ["target=/", 'invalid mount target "/"'],
  ["required", "unexpected key 'required' for mount type 'bind'"],
  ["type=cache,target=/a,sharing=lokced", 'unsupported sharing value "lokced"'],
  ["type=tmpfs,target=/a,mode=700", 'mode not allowed for "tmpfs" type mounts'],
  ["type=cache,target=/a,mode=9", "invalid value 9 for mode"],
  ["target=/a,sharing=shared", "invalid cache sharing set for bind mount"],
  ["target=/a,rw=maybe", "invalid value for rw: maybe"],
  ["target=/a,tgt=b", "unexpected key 'tgt' in 'tgt=b'"],
  ["nothing", "invalid field 'nothing' must be a key=value pair"],
])("[BLD-4] --mount=%s is refused where it stands", (mount, reason) => {
  expect(() => evaluate(`FROM debian\nRUN --mount=${mount} x`)).toThrow(`Dockerfile:2:13: ${reason}`);
});

test("[BLD-2] RUN with a heredoc: a script alone, commands alone, or lines for the shell", () => {
  const { target } = evaluate(
    'FROM debian\nSHELL ["/bin/bash", "-ec"]\nRUN <<-EOF\n\t#!/bin/x\n\ty\n\tEOF\nRUN <<EOF\na\nb\nEOF\nRUN cat <<-A 3<<B\n\tc\n\tA\nd\nB\n',
  );
  const steps = runs(target.steps);
  expect(steps.map((step) => step.arguments)).toEqual([
    ["/bin/bash", "-ec", "/dev/pipes/EOF"],
    ["/bin/bash", "-ec", "a\nb\n"],
    ["/bin/bash", "-ec", "cat <<-A 3<<B\n\tc\nA\nd\nB"],
  ]);
  expect(steps.map(({ script }) => script)).toEqual([{ name: "EOF", content: "#!/bin/x\ny\n" }, undefined, undefined]);
});

test("[BLD-6] COPY and ADD, with everything expanded", () => {
  const { target } = evaluate(
    `FROM scratch AS s
FROM debian
ARG D=dest U=7
WORKDIR /w
COPY --from=s --chown=$U:$U --chmod=u=rwX --link --parents --exclude=*.md --exclude=$U a$U "b" $D/
COPY <<F .
value $D 'as is'
F
ADD --unpack=false --keep-git-dir --checksum=sha256:$U https://x.example/$D.git /
COPY a /x/.
COPY a ../up`,
  );
  expect(transfers(target.steps).map(({ instruction: _, history: __, triggered: ___, title: ____, files, ...step }) => step)).toEqual([
    {
      type: "copy",
      sources: ["a7", "b"],
      destination: "/w/dest/",
      origin: { kind: "stage", index: 0 },
      chown: "7:7",
      chmod: "u=rwX",
      link: true,
      parents: true,
      exclude: ["*.md", "$U"],
    },
    { type: "copy", sources: [], destination: "/w/", link: false, parents: false, exclude: [] },
    {
      type: "add",
      sources: ["https://x.example/dest.git"],
      destination: "/",
      link: false,
      parents: false,
      exclude: [],
      keepGitDir: true,
      checksum: "sha256:7",
      unpack: false,
    },
    { type: "copy", sources: ["a"], destination: "/x/.", link: false, parents: false, exclude: [] },
    { type: "copy", sources: ["a"], destination: "/up", link: false, parents: false, exclude: [] },
  ]);
  expect(transfers(target.steps)[1]?.files).toMatchObject([{ name: "F", content: "value dest 'as is'\n" }]);
});

test("[BLD-1] every step names its entry in the history", () => {
  const { target } = evaluate("FROM debian\nENV A=1\nRUN x\nWORKDIR /\nWORKDIR /w\nCMD y\nCOPY a b", { images: known });
  const history = target.image.history ?? [];
  expect(target.steps.map((step) => history[step.history]?.created_by)).toEqual([
    "RUN /bin/sh -c x # buildkit",
    "WORKDIR /w",
    "COPY a b # buildkit",
  ]);
  expect(history.flatMap((entry, index) => (entry.empty_layer ? [] : index))).toEqual([0, ...target.steps.map((step) => step.history)]);
});

test("[BLD-1] errors of several instructions are told at once", () => {
  expect(() => evaluate("FROM debian\nSTOPSIGNAL x\nEXPOSE y\nVOLUME $N\nUSER ${N")).toThrow("4 things are wrong with Dockerfile");
});
