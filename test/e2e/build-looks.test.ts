import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type BuildEvent, type BuildOptions, createRamekin, type FailedStep, image } from "ramekin";
import { expect, test } from "vitest";
import { busyboxImage, noPty, useKitchen } from "../support/index.ts";

const here = useKitchen(async () => ({ images: [await busyboxImage()] }));

async function context(name: string, dockerfile: readonly string[], files: Readonly<Record<string, string>> = {}): Promise<string> {
  const folder = join(here().folder, name);
  await mkdir(folder);
  const all = Object.entries({ ...files, Dockerfile: `${dockerfile.join("\n")}\n` });
  for (const [path, content] of all) await writeFile(join(folder, path), content);
  return folder;
}

/** In this process, on the store of the kitchen. */
const engineHere = () => createRamekin({ root: here().root, runRoot: here().runRoot });

/** What became of it, and which of its steps were not known. */
async function built(options: BuildOptions) {
  await using engine = await engineHere();
  const events: BuildEvent[] = [];
  const { digest } = await engine.build({ ...options, onEvent: (event) => events.push(event) });
  const names = new Map(events.flatMap((event) => (event.type === "begin" ? [[event.step, event.name] as const] : [])));
  const done = events.flatMap((event) => (event.type === "end" && !event.cached ? [names.get(event.step) ?? ""] : []));
  return { digest, done: done.filter((name) => /^\[(?!internal)[^\]]*\] (?!FROM )/.test(name)) };
}

test("[build --progress] at a terminal: lines that are painted over, output of what runs, and Ctrl-C", async (skip) => {
  if (noPty !== undefined) return skip.skip(noPty);
  const folder = await context("painted", ["FROM busybox", "RUN echo one; sleep 1; echo two", "RUN echo; echo begun; sleep 60"]);
  const { code, output } = await here().terminal(
    ["build", "--progress=tty", folder],
    [{ expect: " => => # one" }, { expect: " => => # begun" }, { send: "\x03" }],
  );
  expect(code).toBe(130);
  expect(output).toMatch(/\[\+\] Building \d+\.\ds \(\d+\/7\)/);
  expect(output).toContain(" => CANCELED [3/3] RUN echo; echo begun; sleep 60");
  expect(output).toContain(" => [2/3] RUN echo one");
  expect(await here().output(["ps", "-aq"])).toBe("");
  const short = await here().terminal(["build", await context("short", ["FROM busybox", "RUN true"])], []);
  expect([short.code, short.output]).toEqual([0, expect.stringMatching(/\[\+\] Building \d+\.\ds \(6\/6\) FINISHED/)]);
});

test("[build --on-error] [BLD-17] a shell where a step failed: its files, mounts and variables; then the build fails", async (skip) => {
  const folder = await context(
    "failing",
    [
      "FROM busybox",
      "ENV DISH=souffle",
      "WORKDIR /kitchen",
      "RUN --mount=type=cache,target=/cache --mount=type=secret,id=word touch /cache/used && echo burnt > pan && exit 7",
    ],
    { word: "a-secret-word" },
  );
  const flags = ["build", "--on-error=shell", "--progress=plain", "--secret", `id=word,src=${join(folder, "word")}`, folder];
  const input = "cat pan; pwd; echo $DISH; ls /cache; cat /run/secrets/word; echo; echo more > pan; exit 3\n";
  const { code, stdout, stderr } = await here().ramekin(flags, { input });
  expect([code, stdout], stderr).toEqual([1, "burnt\n/kitchen\nsouffle\nused\na-secret-word\n"]);
  expect(stderr).toMatch(/^\[3\/3\] RUN .*: process .* exit code: 7\n\/bin\/sh in the state of the failed step; the build ends with it\n/m);
  expect(stderr).toMatch(/Dockerfile:4\n-{20}\n/);
  expect(await here().ramekin(["build", "--on-error=shell", "-"])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("stdin is the shell's"),
  });
  const copy = await here().ramekin(["build", "--on-error=shell", await context("copying", ["FROM busybox", "COPY nothing /"])]);
  expect(copy).toMatchObject({ code: 1, stderr: expect.stringContaining("there is no shell to open") });
  if (noPty !== undefined) return skip.skip(noPty);
  const typed = [{ expect: "/kitchen # " }, { send: "test -t 0 && cat pan\r" }, { expect: "burnt" }, { send: "exit\r" }];
  const session = await here().terminal(flags, typed);
  expect([session.code, session.output]).toEqual([1, expect.stringContaining("exit code: 7")]);
  expect(await here().output(["ps", "-aq"])).toBe("");
});

test("[API-10] onStepError: programs in the state of the failed step, from TypeScript", async () => {
  const folder = await context("api", [
    ...["FROM busybox AS one", "RUN echo left > /left; false", "FROM busybox AS two", "RUN sleep 60"],
    ...["FROM one", "COPY --from=two / /"],
  ]);
  const seen: FailedStep[] = [];
  let said = "";
  const events: BuildEvent[] = [];
  await using engine = await engineHere();
  const build = engine.build({
    context: folder,
    onEvent: (event) => events.push(event),
    async onStepError(failed) {
      seen.push(failed);
      await using shell = await failed.run?.open(["sh", "-c", "cat /left; exit 5"]);
      await shell?.start({ attach: true });
      const attachment = await shell?.attach();
      for await (const bytes of attachment?.stdout ?? []) said += Buffer.from(bytes).toString();
      expect((await shell?.wait())?.code).toBe(5);
    },
  });
  await expect(build).rejects.toMatchObject({ code: "FAILED_PRECONDITION", message: expect.stringContaining("Dockerfile:2:1: process") });
  expect([said, seen.length]).toEqual(["left\n", 1]);
  const run = { code: 1, args: ["/bin/sh", "-c", "echo left > /left; false"] };
  expect(seen[0]).toMatchObject({ name: "[one 2/2] RUN echo left > /left; false", run });
  // What ran beside it was stopped, and is gone.
  expect(events.filter((event) => event.type === "end" && event.cancelled)).toHaveLength(1);
  expect(await here().output(["ps", "-aq"])).toBe("");
});

test("[API-10] a recipe and the Dockerfile that says the same share the cache, and make the same image", async () => {
  const folder = await context(
    "same",
    [
      "FROM busybox AS mill",
      "WORKDIR /mill",
      "COPY grain ./",
      "RUN --mount=type=cache,target=/cache cat grain > flour",
      "FROM busybox",
      'ENV DISH="bread and butter"',
      "COPY --from=mill --chown=1000:1001 /mill/flour /flour",
      "RUN --mount=type=bind,from=mill,source=/mill,target=/mill \\",
      "wc -c < /mill/flour > /size",
      "USER cook",
      'CMD ["cat", "/size"]',
    ],
    { grain: "wheat\n" },
  );
  const digest = await here().output(["build", "--quiet", folder]);
  const busybox = image.from("busybox");
  const mill = busybox
    .workdir("/mill")
    .copy("grain", "./")
    .run("cat grain > flour", { mounts: [{ type: "cache", target: "/cache" }] });
  const dish = busybox
    .env({ DISH: "bread and butter" })
    .copy("/mill/flour", "/flour", { from: mill, chown: "1000:1001" })
    .run("wc -c < /mill/flour > /size", { mounts: [{ type: "bind", from: mill, source: "/mill", target: "/mill" }] })
    .user("cook")
    .cmd(["cat", "/size"]);
  expect(await built({ context: folder, dockerfile: dish })).toEqual({ digest, done: [] });
  // And the other way round, with a step that is new.
  const more = dish.run("true");
  const first = await built({ context: folder, dockerfile: more });
  expect(first.done).toEqual(["[stage-1 4/4] RUN true"]);
  await writeFile(join(folder, "Dockerfile"), more.toDockerfile());
  expect(await here().output(["build", "--quiet", folder])).toBe(first.digest);
  await expect(built({ context: folder, dockerfile: busybox.run("exit 4") })).rejects.toThrow("recipe:2:1: process");
});
