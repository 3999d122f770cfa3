import { describe, expect, test } from "vitest";
import { busyboxImage, layeredImage, missing, needs, useKitchen } from "../support/index.ts";

const pairs = ["overlayfs", "vfs"].flatMap((storage) => ["linux", "oci"].map((isolation) => ({ storage, isolation })));

describe.each(pairs)("storage $storage, isolation $isolation", ({ storage, isolation }) => {
  if (isolation === "oci") needs(missing("runc"));
  const here = useKitchen(async () => ({ images: [await busyboxImage(), await layeredImage(40)], storage, isolation }));
  const output = (...args: string[]) => here().output(args);

  test("run: output, exit code, user, directory, environment", async () => {
    const script = "id -un; pwd; echo $A; exit 7";
    const result = await here().ramekin(["run", "--rm", "-u", "cook", "-w", "/tmp", "-e", "A=b", "busybox", "sh", "-c", script]);
    expect(result).toMatchObject({ code: 7, stdout: "cook\n/tmp\nb\n" });
  });

  test("126 and 127", async () => {
    expect((await here().ramekin(["run", "--rm", "busybox", "/etc/plain"])).code).toBe(126);
    expect((await here().ramekin(["run", "--rm", "busybox", "nothing"])).code).toBe(127);
  });

  test("detached: exec, logs, stop, restart, rm", async () => {
    await output("run", "-d", "--name", "all", "busybox", "sh", "-c", "echo up; trap 'exit 3' TERM; while :; do sleep 0.1; done");
    expect(await output("exec", "all", "sh", "-c", "echo inside; cat /proc/1/comm")).toBe("inside\nsh");
    await output("stop", "all");
    expect(await output("ps", "-a", "--format", "{{.Names}} {{.State}}")).toBe("all exited");
    await output("start", "all");
    await output("kill", "all");
    expect(await output("wait", "all")).toBe("137");
    expect(await output("logs", "all")).toBe("up\nup");
    await output("rm", "all");
  });

  test("forty layers, with a change on top", async () => {
    expect(await output("run", "--rm", "layers-40", "sh", "-c", "rm /layers/5; ls /layers | wc -l; cat /layers/top")).toBe("39\n39");
    expect(await output("run", "--rm", "layers-40", "cat", "/layers/5")).toBe("5");
  });

  test("read-only root, tmpfs, init, limits", async () => {
    const flags = ["--read-only", "--tmpfs", "/tmp", "--init", "--memory", "64m", "--pids-limit", "50"];
    expect(await output("run", "--rm", ...flags, "busybox", "sh", "-c", "touch /tmp/x && ! touch /x 2>/dev/null && echo ok")).toBe("ok");
  });
});
