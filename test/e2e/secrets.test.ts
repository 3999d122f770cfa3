import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { busyboxImage, succeed, useKitchen } from "../support/index.ts";

const here = useKitchen(async () => ({ images: [await busyboxImage()] }));
const ramekin = (...args: string[]) => here().ramekin(args);
const output = (...args: string[]) => here().output(args);
const create = (name: string, content: string, ...flags: string[]) =>
  here().output(["secret", "create", ...flags, name, "-"], { input: content });

/** Files below the kitchen that hold the text. */
const holding = async (text: string) => {
  const { stdout } = await succeed(["sh", "-c", 'grep -rlF -- "$0" . || true', text], { cwd: here().folder });
  return stdout
    .trim()
    .split("\n")
    .filter((path) => path !== "");
};

test("[VOL-5] [run --secret] [create --secret] in memory, with the owner and mode asked for; in no file but the store's", async () => {
  const content = "nutmeg-4711-\u00e9clair";
  const id = await create("spice", content);
  const flags = [
    "--secret",
    "spice",
    "--secret",
    "spice,target=deep/er,uid=1000,gid=1001,mode=0400",
    "--secret",
    "spice,target=/etc/spice",
  ];
  const env = ["--secret", "spice,type=env", "--secret", "spice,type=env,target=OTHER"];
  const script = [
    "cat /run/secrets/spice /run/secrets/deep/er /etc/spice; echo",
    "stat -c '%u:%g %a' /run/secrets/spice /run/secrets/deep/er /etc/spice",
    'echo "$spice $OTHER"',
    "grep -E ' /(run/secrets|etc/spice) ' /proc/mounts | cut -d' ' -f2-4",
    "touch /run/secrets/x 2>/dev/null || echo sealed; touch /left; sleep 1000",
  ].join("\n");
  await output("run", "-d", "--name", "cook", ...flags, ...env, "busybox", "sh", "-c", script);
  const said = await eventuallyLogs("cook", "sealed");
  expect(said.split("\n")).toEqual([
    content.repeat(3),
    "0:0 444",
    "1000:1001 400",
    "0:0 444",
    `${content} ${content}`,
    expect.stringMatching(/^\/run\/secrets tmpfs ro,nosuid,nodev,noexec/),
    expect.stringMatching(/^\/etc\/spice tmpfs ro,nosuid,nodev,noexec/),
    "sealed",
  ]);
  const log = (await output("inspect", "-f", "{{.LogPath}}", "cook")).slice(here().folder.length);
  const stored = `./root/secrets/${id}`;
  expect((await holding("nutmeg-4711")).sort()).toEqual([`.${log}`, stored].sort());
  expect((await stat(join(here().root, "secrets", id))).mode & 0o777).toBe(0o600);
  expect(await output("inspect", "cook")).not.toContain("nutmeg");

  // Those of exec are what the store has, but for what is asked for by name; and stand in no file, while it runs either.
  const seen = here().start(["exec", "-i", "-e", "OTHER=mine", "cook", "sh", "-c", 'echo "$spice $OTHER"; cat; echo "$DISH"']);
  await seen.saw("mine");
  expect((await holding("nutmeg-4711")).sort()).toEqual([`.${log}`, stored].sort());
  seen.child.stdin?.end();
  expect((await seen.ended).stdout).toBe(`${content} mine\nsouffle\n`);

  await output("commit", "cook", "cooked");
  await output("save", "-o", join(here().folder, "cooked.tar"), "cooked");
  await output("export", "-o", join(here().folder, "exported.tar"), "cook");
  const layer = (await succeed(["tar", "-tf", join(here().folder, "exported.tar")])).stdout.split("\n");
  expect(layer).toContain("left");
  expect((await succeed(["sh", "-c", "tar -xOf exported.tar etc/spice | wc -c"], { cwd: here().folder })).stdout.trim()).toBe("0");
  await output("rm", "-f", "cook");
  expect(await holding("nutmeg-4711")).toEqual([stored]);
  // Nor compressed: the committed layer has what the container left, and none of the places where secrets were.
  const listing = await output("image", "diff", "cooked", "busybox");
  expect(listing).toContain("A /left");
  expect(listing).not.toMatch(/spice|secrets/);
  await output("rmi", "cooked");
  await output("secret", "rm", "spice");
  expect(await holding("nutmeg-4711")).toEqual([]);
});

async function eventuallyLogs(name: string, last: string): Promise<string> {
  for (;;) {
    const logs = await output("logs", name);
    if (logs.includes(last)) return logs.trim();
  }
}

test("[VOL-5] [secret create --replace] a secret is there again at the next start, as it is then; one that a container has stays", async () => {
  const id = await create("season", "salt");
  await output(
    "create",
    "--name",
    "again",
    "--secret",
    "season",
    "--secret",
    "season,type=env",
    "busybox",
    "sh",
    "-c",
    "cat /run/secrets/season; echo $season",
  );
  expect(await output("start", "-a", "again")).toBe("saltsalt");
  expect(await create("season", "pepper", "--replace")).toBe(id);
  expect(await output("start", "-a", "again")).toBe("pepperpepper");
  expect((await ramekin("secret", "rm", "season")).stderr).toContain("secret season is in use by again");
  await output("rm", "again");
  expect(await output("secret", "rm", id.slice(0, 6))).toBe(id);
});

test("[VOL-5] [secret create --env] [secret create --label] [secret inspect --format] [secret ls --filter] [secret ls --format] [secret ls --quiet] secrets out of files, variables and what comes in; their names listed, and never what they hold", async () => {
  const file = join(here().folder, "password");
  await writeFile(file, "from-a-file");
  await output("secret", "create", "--label", "for=db", "one", file);
  await here().output(["secret", "create", "--env", "two", "PASSWORD"], { env: { PASSWORD: "from-the-environment" } });
  expect((await output("secret", "ls")).split("\n")[0]).toMatch(/^ID +NAME +DRIVER +CREATED +UPDATED$/);
  expect(await output("secret", "ls", "--format", "{{.Name}}")).toBe("one\ntwo");
  expect(await output("secret", "ls", "-f", "name=tw", "--format", "{{.Name}}")).toBe("two");
  expect(await output("secret", "ls", "-f", "label=for=db", "-q")).toMatch(/^[0-9a-f]{25}$/);
  const [shown] = JSON.parse(await output("secret", "inspect", "one"));
  expect(shown).toMatchObject({ Spec: { Name: "one", Driver: { Name: "file" }, Labels: { for: "db" } } });
  expect(JSON.stringify(shown)).not.toContain("from-a-file");
  expect(await output("secret", "inspect", "--format", "{{.Spec.Name}}", "two")).toBe("two");
  for (const [args, message] of [
    [["secret", "create", "one", file], "secret name one is in use"],
    [["secret", "create", "a/b", file], "is invalid"],
    [["secret", "create", "--env", "x", "NOT_SET_ANYWHERE"], "NOT_SET_ANYWHERE"],
    [["secret", "create", "x", "/no/such/file"], "/no/such/file"],
    [["secret", "inspect", "none"], "no such secret: none"],
    [["secret", "rm", "none"], "no such secret: none"],
    [["run", "--secret", "none", "busybox", "true"], "no such secret: none"],
    [["run", "--secret", "one,target=../../etc/passwd", "busybox", "true"], "leads out of /run/secrets"],
    [["run", "--secret", "one,type=file", "busybox", "true"], "type file is invalid"],
  ] as const) {
    const { code, stderr } = await ramekin(...args);
    expect([args, code > 0, stderr]).toEqual([args, true, expect.stringContaining(message)]);
  }
  expect((await here().ramekin(["secret", "create", "empty", "-"], { input: "" })).stderr).toContain("0 bytes");
  await output("secret", "rm", "one", "two");
  expect((await readdir(join(here().root, "secrets"))).filter((name) => !name.startsWith("."))).toEqual([]);
  expect(await readFile(file, "utf8")).toBe("from-a-file");
});
