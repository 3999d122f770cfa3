import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { run } from "./run.mjs";
import { SetupError, step } from "./step.mjs";

/** Debian packages. What a machine that only runs Ramekin needs is the first list; the peers and judges of the tests are the second. */
export const buildPackages = ["gcc", "libc6-dev", "pkg-config", "libseccomp-dev"];
export const testPackages = [
  "apache2-utils",
  "attr",
  "btrfs-progs",
  "buildah",
  "busybox-static",
  "conmon",
  "cpio",
  "crun",
  "debootstrap",
  "docker-registry",
  "e2fsprogs",
  "git",
  "iproute2",
  "kmod",
  "libcap2-bin",
  "openssh-client",
  "openssh-server",
  "podman",
  "python3",
  "qemu-system-x86",
  "runc",
  "skopeo",
  "strace",
  "uidmap",
  "umoci",
  "util-linux",
  "zstd",
];

const debian = () => existsSync("/usr/bin/apt-get") && existsSync("/usr/bin/dpkg-query");

// biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query's own placeholders
const format = "${Package} ${db:Status-Abbrev}\\n";

function missing(packages) {
  const { stdout } = spawnSync("dpkg-query", ["-W", "-f", format, ...packages], { encoding: "utf8" });
  const installed = new Set(
    stdout
      .split("\n")
      .filter((line) => line.includes(" ii"))
      .map((line) => line.split(" ")[0]),
  );
  return packages.filter((name) => !installed.has(name));
}

/** Installs what is missing when we are root, otherwise names the exact command. */
export async function systemPackages(packages, { required }) {
  if (!debian()) {
    process.stderr.write(`ramekin: not a Debian system: install what corresponds to ${packages.join(" ")}\n`);
    return;
  }
  const absent = missing(packages);
  if (absent.length === 0) return;
  const command = `apt-get update && apt-get install --yes --no-install-recommends ${absent.join(" ")}`;
  if (process.getuid?.() !== 0) {
    const message = `these Debian packages are missing; install them with:\n  sudo sh -c '${command}'`;
    if (required) throw new SetupError(message);
    process.stderr.write(`ramekin: ${message}\n`);
    return;
  }
  await step(`installing ${absent.length} Debian packages (${absent.join(" ")})`, {
    work: async (onLine) => {
      const { code, output } = await run("sh", ["-c", command], { quiet: true, onLine, env: { DEBIAN_FRONTEND: "noninteractive" } });
      if (code !== 0) throw new SetupError(`apt-get failed:\n${output.split("\n").slice(-15).join("\n")}`);
    },
  });
}
