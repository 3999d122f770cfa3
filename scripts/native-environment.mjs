import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { repository } from "./setup/run.mjs";

const triple = `${process.arch === "arm64" ? "aarch64" : "x86_64"}-unknown-linux-gnu`;

/** The packages of Cargo.lock that come from elsewhere: our own move daily and are rebuilt anyway. */
function foreignPackages() {
  const packages = readFileSync(join(repository, "Cargo.lock"), "utf8").split("[[package]]");
  return packages.filter((text) => text.includes("checksum = ")).join("");
}

/** Outside the clone, keyed by compiler and foreign packages: a clean clone rebuilds only our own crates (libcontainer alone takes minutes). */
function targetDirectory() {
  const rustc = execFileSync("rustc", ["--version"], { encoding: "utf8" }).split(" ")[1];
  const key = createHash("sha256").update(foreignPackages()).digest("hex").slice(0, 12);
  return join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "ramekin", "cargo", `${rustc}-${key}`);
}

/** What every cargo call of the project is made with: static binaries for the gnu target, one target directory. */
export const cargoEnvironment = {
  triple,
  get targetDirectory() {
    return targetDirectory();
  },
  arguments: ["--release", "--target", triple],
  get env() {
    return {
      CARGO_TARGET_DIR: targetDirectory(),
      LIBSECCOMP_LINK_TYPE: "static",
      LIBSECCOMP_LIB_PATH: `/usr/lib/${triple.replace("-unknown", "")}`,
      RUSTFLAGS: "-C target-feature=+crt-static",
    };
  },
};
