import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { checkRunnable, readInterpreter } from "../src/build/emulation.ts";

/** As Linux 6.18 shows what Debian 13's qemu-user-static registers. */
const arm64 = (flags: string, state = "enabled") =>
  `${state}
interpreter /usr/bin/qemu-aarch64
flags: ${flags}
offset 0
magic 7f454c460201010000000000000000000200b700
mask ffffffffffffff00fffffffffffffffffeffffff
`;

const linux = (architecture: string) => ({ os: "linux", architecture });

test("a foreign platform runs where the kernel has an interpreter that containers can reach, and is refused by name elsewhere", async () => {
  const directory = await mkdtemp(join(tmpdir(), "ramekin-binfmt-"));
  try {
    const check = (platform: string) => checkRunnable(linux("amd64"), linux(platform), directory);
    await check("amd64");
    await check("386");
    await expect(check("arm64")).rejects.toMatchObject({ code: "UNSUPPORTED", message: expect.stringContaining("linux/arm64") });
    await writeFile(join(directory, "register"), "");
    await writeFile(join(directory, "qemu-aarch64"), arm64("POCF"));
    await check("arm64");
    await expect(check("riscv64")).rejects.toMatchObject({ hint: expect.stringContaining("qemu-user-static") });
    await writeFile(join(directory, "qemu-aarch64"), arm64("OC"));
    await expect(check("arm64")).rejects.toThrow("without the flag F");
    await writeFile(join(directory, "qemu-aarch64"), arm64("POCF", "disabled"));
    await expect(check("arm64")).rejects.toThrow("does not run its programs");
    await expect(checkRunnable(linux("amd64"), { os: "windows", architecture: "arm64" }, directory)).rejects.toMatchObject({
      code: "UNSUPPORTED",
    });
    await expect(checkRunnable(linux("amd64"), linux("arm64"), join(directory, "absent"))).rejects.toMatchObject({ code: "UNSUPPORTED" });
  } finally {
    await rm(directory, { recursive: true });
  }
});

test("what is known by the end of its name is no interpreter of a machine", () => {
  expect(readInterpreter("enabled\ninterpreter /usr/bin/jexec\nflags: \nextension .jar\n")).toBeUndefined();
  expect(readInterpreter(arm64("F"))).toEqual({ path: "/usr/bin/qemu-aarch64", machine: "02 01 b700", fixed: true });
});
