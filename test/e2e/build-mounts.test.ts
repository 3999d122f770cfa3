// biome-ignore-all lint/suspicious/noTemplateCurlyInString: of the shell, in Dockerfiles
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { busyboxImage, missing, needs, noKitchen, start, succeed, useKitchen } from "../support/index.ts";

const here = useKitchen(async () => ({ images: [await busyboxImage()] }));
const ramekin = (...args: string[]) => here().ramekin(args);
const output = (...args: string[]) => here().output(args);
const lines = (...all: string[]) => `${all.join("\n")}\n`;

async function context(name: string, ...dockerfile: string[]): Promise<string> {
  const folder = join(here().folder, name);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "Dockerfile"), lines(...dockerfile));
  return folder;
}

test("[build --secret] [BLD-4] [BLD-15] secrets as files and variables, with owner and mode; nothing of them stays anywhere", async () => {
  const folder = await context(
    "secrets",
    "FROM busybox",
    "RUN --mount=type=secret,id=word,env=WORD --mount=type=secret,id=word,target=/in/file,uid=5,gid=6,mode=0440 " +
      "--mount=type=secret,id=both,target=/both,env=BOTH --mount=type=secret,id=absent,env=ABSENT " +
      '[ "$WORD" = "$(cat /in/file)" ] && stat -c "%a %u:%g" /in/file > /stat && [ "$BOTH" = "$(cat /both)" ] && echo ${ABSENT-none} >> /stat && echo ${#WORD} >> /stat',
    "RUN echo ${WORD-gone} >> /stat; ls /in /both >> /stat 2>/dev/null; true",
  );
  await writeFile(join(here().folder, "both"), "a-word-for-both");
  const flags = ["--secret", "id=word,env=SECRET", "--secret", `id=both,src=${join(here().folder, "both")}`];
  const { code, stderr } = await here().ramekin(["build", "-t", "secrets", ...flags, folder], { env: { SECRET: "a-word-nobody-knows" } });
  expect(code, stderr).toBe(0);
  expect((await output("run", "--rm", "secrets", "cat", "/stat")).split("\n")).toEqual(["440 5:6", "none", "19", "gone"]);
  await output("save", "-o", join(here().folder, "saved.tar"), "secrets");
  for (const word of ["a-word-nobody-knows", "a-word-for-both"]) {
    for (const place of [here().root, here().runRoot, join(here().folder, "saved.tar")]) {
      const { stdout } = await succeed([
        "sh",
        "-c",
        `grep -rlaF ${word} ${place}; find ${place} -type f -exec sh -c 'zcat -f < "$1" 2>/dev/null | grep -qaF ${word} && echo "$1"' sh {} \\;`,
      ]);
      expect([word, place, stdout]).toEqual([word, place, ""]);
    }
    expect(stderr + (await output("history", "--no-trunc", "secrets"))).not.toContain(word);
  }
});

test("[build --ssh] [BLD-4] [BLD-15] an agent, by its socket or with keys; what is required and not there is refused", async () => {
  needs(noKitchen ?? missing("ssh-agent", "ssh-add", "ssh-keygen"));
  const key = join(here().folder, "key");
  await succeed(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "cook", "-f", key]);
  const folder = await context(
    "ssh",
    "FROM busybox",
    `RUN --mount=type=ssh,required=true stat -c '%a %u' $SSH_AUTH_SOCK && echo at $SSH_AUTH_SOCK`,
    `RUN --mount=type=ssh,id=mine,target=/agent,uid=5,gid=6,mode=0666 stat -c '%F %a %u:%g' /agent && echo $SSH_AUTH_SOCK`,
    "RUN --mount=type=ssh,id=other echo ${SSH_AUTH_SOCK-no agent}",
    'RUN ! ls /agent /run/buildkit && test -z "$SSH_AUTH_SOCK"',
  );
  const agent = start(["ssh-agent", "-D", "-a", "agent"], { cwd: here().folder });
  try {
    const sock = { SSH_AUTH_SOCK: join(here().folder, "agent") };
    const flags = ["--ssh", "default", "--ssh", `mine=${key}`];
    await succeed(["sh", "-c", `for i in $(seq 100); do test -S ${sock.SSH_AUTH_SOCK} && exit; sleep 0.05; done; exit 1`]);
    const { code, stderr } = await here().ramekin(["build", "--progress", "plain", ...flags, folder], { env: sock });
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(/ 600 0\n#\d+ [\d.]+ at \/run\/buildkit\/ssh_agent\.0\n/);
    expect(stderr).toMatch(/ socket 666 5:6\n#\d+ [\d.]+ \/agent\n/);
    expect(stderr).toMatch(/ no agent\n/);
    expect(await here().ramekin(["build", "--no-cache", folder])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("no ssh agent default was forwarded\nhint: --ssh default"),
    });
    for (const [flag, said] of [
      ["mine=/nowhere", "cannot read /nowhere"],
      ["", "not an agent"],
      [`mine=${folder}/Dockerfile`, "cannot be used"],
    ] as const)
      expect([flag, await ramekin("build", "--ssh", flag, folder)]).toEqual([
        flag,
        expect.objectContaining({ code: 1, stderr: expect.stringContaining(said) }),
      ]);
    expect(await ramekin("build", "--ssh", "default", folder)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("no agent is running"),
    });
  } finally {
    agent.child.kill("SIGTERM");
    await agent.ended;
  }
});

test("[BLD-4] caches that begin with files, belong to somebody, are waited for or private; bind mounts that can be written to; tmpfs with a size", async () => {
  const folder = await context(
    "caches",
    "FROM busybox AS seed",
    "RUN mkdir -p /seed/deep && echo planted > /seed/deep/file",
    "FROM busybox AS shared",
    "ARG ROUND",
    "RUN --mount=type=cache,target=/cache,from=seed,source=/seed,uid=5,gid=6,mode=0750 stat -c '%a %u:%g' /cache > /seen && cat /cache/deep/file >> /seen && echo $ROUND >> /cache/deep/file",
    "RUN --mount=type=cache,target=/cache,readonly cat /cache/deep/file >> /seen; ! touch /cache/x 2>/dev/null",
    "RUN --mount=type=bind,from=seed,source=/seed,target=/bound,rw touch /bound/new && ls /bound >> /seen",
    "RUN --mount=type=tmpfs,target=/small,size=1m ! dd if=/dev/zero of=/small/big bs=1k count=2000 2>/dev/null && df -k /small | awk 'NR==2 {print $2}' >> /seen",
    "FROM busybox AS locked",
    "ARG ROUND",
    "RUN --mount=type=cache,id=lock,target=/lock,sharing=locked mkdir /lock/held && sleep 1 && rmdir /lock/held",
    "FROM busybox AS private",
    "ARG ROUND",
    "RUN --mount=type=cache,id=own,target=/own,sharing=private mkdir /own/mine && sleep 1 && rmdir /own/mine",
  );
  const build = (target: string, round: string) =>
    ramekin("build", "-t", target, "--target", target, "--build-arg", `ROUND=${round}`, folder);
  const first = await build("shared", "1");
  expect(first.code, first.stderr).toBe(0);
  const seen = async () => (await output("run", "--rm", "shared", "cat", "/seen")).split("\n");
  expect(await seen()).toEqual(["750 5:6", "planted", "planted", "1", "deep", "new", "1024"]);
  expect((await build("shared", "2")).code).toBe(0);
  expect((await seen()).slice(0, 3)).toEqual(["750 5:6", "planted", "1"]);
  // Two at once that would fail on what the other has there.
  for (const target of ["locked", "private"]) {
    const both = await Promise.all([build(target, "1"), build(target, "2")]);
    expect([target, ...both.map(({ code }) => code)]).toEqual([target, 0, 0]);
  }
});

test("[build --allow] [BLD-5] what is more than a container may do is refused until whoever builds allows it; networks", async () => {
  const folder = await context(
    "insecure",
    "FROM busybox",
    "RUN --security=insecure grep CapEff /proc/self/status > /caps && mount -t tmpfs x /tmp && umount /tmp",
    "RUN --security=sandbox grep CapEff /proc/self/status >> /caps; ! mount -t tmpfs x /tmp 2>/dev/null",
  );
  expect(await ramekin("build", folder)).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/Dockerfile:2:?[\s\S]*security\.insecure is not allowed\nhint: --allow security\.insecure/),
  });
  const { code, stderr } = await ramekin("build", "-t", "insecure", "--allow", "security.insecure,network.host", folder);
  expect(code, stderr).toBe(0);
  const own = /CapBnd:\s*([0-9a-f]+)/.exec(await readFile("/proc/self/status", "utf8"))?.[1];
  const caps = (await output("run", "--rm", "insecure", "cat", "/caps")).match(/[0-9a-f]{16}/g);
  expect(caps?.[0]).toBe(own);
  expect(caps?.[1]).not.toBe(own);
  expect(await ramekin("build", "--allow", "everything", folder)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('unknown entitlement "everything"'),
  });
  await context("insecure", "# syntax=docker/dockerfile:1-labs", "FROM busybox", "RUN --device=vendor.example/dish=spoon true");
  expect(await ramekin("build", folder)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("the device vendor.example/dish=spoon is not allowed"),
  });
  expect(await ramekin("build", "--allow", "device", folder)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("vendor.example/dish"),
  });
  await context(
    "insecure",
    "FROM busybox",
    "RUN --network=none ls /sys/class/net > /none",
    "RUN --network=host ls /sys/class/net > /host",
    "RUN --network=default ls /sys/class/net > /default",
  );
  expect((await ramekin("build", "-t", "networks", folder)).code).toBe(0);
  const { stdout } = await succeed(["ls", "/sys/class/net"]);
  expect(await output("run", "--rm", "networks", "cat", "/none", "/host", "/default")).toBe(`lo\n${stdout}${stdout}`.trimEnd());
});
