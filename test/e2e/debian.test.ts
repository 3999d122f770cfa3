import { describe, expect, test } from "vitest";
import { debianImage, needs, noDebian, noPty, useKitchen, useRegistry } from "../support/index.ts";

describe("a Debian by debootstrap, pushed by skopeo, pulled from docker-registry", () => {
  const registry = useRegistry(async () => (noDebian === undefined ? [await debianImage()] : []));
  const here = useKitchen(async () => ({}), noDebian);
  const image = () => `${registry().host}/debian`;
  const bash = (script: string, ...flags: string[]) =>
    here().output(["run", "--rm", ...flags, image(), "bash", "-c", script], { timeout: 120_000 });

  test("pull and bash", async () => {
    await here().output(["pull", "-q", image()], { timeout: 120_000 });
    expect(await bash(". /etc/os-release; echo $ID $VERSION_CODENAME; echo $BASH_VERSION")).toMatch(/^debian bookworm\n5\./);
  });

  test("apt list", async () => {
    expect(await bash("apt list --installed 2>/dev/null | grep -c installed")).toMatch(/^[1-9]\d+$/);
    expect(await bash("dpkg --audit; dpkg -V coreutils; echo fine")).toBe("fine");
  });

  test("su, users and setuid programs", async () => {
    expect(await bash("su -c 'id -un' cook")).toBe("cook");
    expect(await bash("id -un; stat -c %a /usr/bin/su", "-u", "cook")).toBe("cook\n4755");
    expect(await bash("id -Gn root")).toBe("root");
  });

  test("a session at a terminal", async (context) => {
    if (noPty !== undefined) return context.skip(noPty);
    const { code, output } = await here().terminal(
      ["run", "--rm", "-it", "-h", "oven", image()],
      [
        { expect: "root@oven:/# " },
        { send: "cd /etc && ls -d apt\r" },
        { expect: "apt\r\n" },
        { send: "su cook\r" },
        { expect: "cook@oven:/etc\\$ " },
        { send: "exit\r" },
        { expect: "root@oven:/etc# " },
        { send: "exit 11\r" },
      ],
    );
    expect({ code, output }).toEqual({ code: 11, output: expect.stringContaining("apt") });
  });

  test("what was written stays in the container and out of the image", async () => {
    expect(await bash("touch /new && rm -r /usr/share/doc && ls -d /new")).toBe("/new");
    expect(await bash("ls -d /usr/share/doc; ls -d /new 2>/dev/null || echo clean")).toBe("/usr/share/doc\nclean");
  });
});

needs(noDebian);
