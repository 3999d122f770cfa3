import { describe, expect, test } from "vitest";
import { busyboxImage, eventually, needs, noPty, useKitchen } from "../support/index.ts";

const here = useKitchen(async () => ({ images: [await busyboxImage()] }));
const prompt = { expect: "[#$] $" };

describe("[CTR-4] at a terminal", () => {
  needs(noPty);

  test("[run --tty] a shell, its size, its exit code", async () => {
    const { code } = await here().terminal(
      ["run", "--rm", "-it", "busybox"],
      [prompt, { send: "stty size\r" }, { expect: "24 80\r\n" }, prompt, { send: "exit 5\r" }],
    );
    expect(code).toBe(5);
  });

  test("the window's size is followed", async () => {
    const { code } = await here().terminal(
      ["run", "--rm", "-it", "busybox", "sh"],
      [
        prompt,
        { send: "stty size\r" },
        { expect: "\r\n24 80\r\n" },
        { resize: [40, 132] },
        { send: "until stty size | grep 40; do sleep 0.1; done\r" },
        { expect: "\r\n40 132\r\n" },
        { send: "exit\r" },
      ],
    );
    expect(code).toBe(0);
  });

  test("ctrl-c goes to the program, not to the command", async () => {
    const { code } = await here().terminal(
      ["run", "--rm", "-it", "busybox", "sh"],
      [
        prompt,
        { send: "sh -c 'echo $((6*7)); exec sleep 1000'\r" },
        { expect: "\r\n42\r\n" },
        { send: "\u0003" },
        prompt,
        { send: "echo still here; exit 0\r" },
        { expect: "\r\nstill here" },
      ],
    );
    expect(code).toBe(0);
  });

  test("[run --detach-keys] ctrl-p ctrl-q unless told otherwise; the container goes on", async () => {
    await here().terminal(
      ["run", "-it", "--name", "left", "busybox", "sh"],
      [prompt, { send: "echo $((40+2))\r" }, { expect: "42" }, { send: "\u0010\u0011" }],
    );
    expect((await here().inspect("left")).State.Status).toBe("running");
    const { code } = await here().terminal(
      ["attach", "--detach-keys", "a,b,c", "left"],
      [{ send: "\r" }, prompt, { send: "echo back $((1+1))\r" }, { expect: "back 2" }, { send: "abc" }],
    );
    expect(code).toBe(0);
    expect((await here().inspect("left")).State.Status).toBe("running");
    await here().terminal(["exec", "-it", "left", "sh"], [prompt, { send: "echo $((2+2))\r" }, { expect: "4" }, { send: "\u0010\u0011" }]);
    // resizes come when they come
    const told = await here().output(["events", "--since", "1h", "--until", "0s", "--filter", "container=left", "--format", "{{.Action}}"]);
    expect(told.split("\n").filter((action) => /attach|detach|start$|exec_start/.test(action))).toEqual([
      ...["attach", "start", "detach", "attach", "detach"],
      ...["exec_start: sh", "exec_detach"],
    ]);
    await here().output(["rm", "-f", "left"]);
  });

  test("the first bytes of the detach keys are not lost", async () => {
    const { code } = await here().terminal(
      ["run", "--rm", "-it", "--detach-keys", "x,y,z", "busybox", "sh"],
      [prompt, { send: "echo xxyx\r" }, { expect: "\r\nxxyx\r\n" }, { send: "exit 3\r" }],
    );
    expect(code).toBe(3);
  });

  test("when the terminal goes away, the container goes on", async () => {
    await here().terminal(["run", "-it", "--name", "widow", "busybox", "sh"], [prompt, { close: true }]);
    expect((await here().inspect("widow")).State.Status).toBe("running");
    await here().output(["rm", "-f", "widow"]);
  });
});

test("[run --tty] without a terminal is refused, like Docker does", async () => {
  expect(await here().ramekin(["run", "--rm", "-it", "busybox"])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("the input device is not a TTY"),
  });
  expect(await here().ramekin(["run", "--rm", "-t", "busybox", "tty"])).toMatchObject({ code: 0, stdout: "/dev/pts/0\r\n" });
});

describe("attach", () => {
  test("[attach --no-stdin] sees what comes from now on, and the exit code", async () => {
    await here().output([
      "run",
      "-d",
      "--name",
      "shown",
      "busybox",
      "sh",
      "-c",
      "while [ ! -e /tmp/go ]; do sleep 0.1; echo waiting; done; echo gone; exit 8",
    ]);
    const attached = here().start(["attach", "--no-stdin", "shown"]);
    await attached.saw("waiting");
    await here().output(["exec", "shown", "touch", "/tmp/go"]);
    const { code, stdout } = await attached.ended;
    expect({ code, last: stdout.trim().split("\n").at(-1) }).toEqual({ code: 8, last: "gone" });
  });

  test("[attach --sig-proxy] [attach --detach-keys] a signal reaches the container, unless it must not", async () => {
    const script = "trap 'echo got it' USR1; while :; do sleep 0.1; echo tick; done";
    await here().output(["run", "-d", "--name", "signalled", "busybox", "sh", "-c", script]);
    const attached = here().start(["attach", "signalled"]);
    await attached.saw("tick");
    attached.child.kill("SIGUSR1");
    await attached.saw("got it");
    const aloof = here().start(["attach", "--sig-proxy=false", "signalled"]);
    await aloof.saw("tick");
    aloof.child.kill("SIGTERM");
    await aloof.ended;
    expect((await here().inspect("signalled")).State.Status).toBe("running");
    await here().output(["rm", "-f", "signalled"]);
    await attached.ended;
  });

  test("two at once see the same", async () => {
    await here().output([
      "run",
      "-d",
      "--name",
      "stage",
      "busybox",
      "sh",
      "-c",
      "while [ ! -e /tmp/go ]; do sleep 0.1; done; echo act; sleep 0.3",
    ]);
    const [one, two] = [here().start(["attach", "--no-stdin", "stage"]), here().start(["attach", "--no-stdin", "stage"])];
    await new Promise((resolve) => setTimeout(resolve, 700));
    await here().output(["exec", "stage", "touch", "/tmp/go"]);
    expect([(await one.ended).stdout, (await two.ended).stdout]).toEqual(["act\n", "act\n"]);
  });

  test("a stopped or unknown container is refused", async () => {
    await here().output(["create", "--name", "still", "busybox"]);
    expect(await here().ramekin(["attach", "still"])).toMatchObject({ code: 1, stderr: expect.stringContaining("stopped") });
    expect(await here().ramekin(["attach", "nobody"])).toMatchObject({ code: 1, stderr: expect.stringContaining("nobody") });
  });

  test("[start --detach-keys] out of a started container and back", async (context) => {
    if (noPty !== undefined) return context.skip(noPty);
    await here().output(["create", "-it", "--name", "again", "busybox", "sh"]);
    await here().terminal(
      ["start", "-ai", "--detach-keys", "ctrl-a", "again"],
      [prompt, { send: "echo $((3*3))\r" }, { expect: "9" }, { send: "\u0001" }],
    );
    await eventually(async () => expect((await here().inspect("again")).State.Status).toBe("running"));
    await here().output(["rm", "-f", "again"]);
  });
});
