import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { repository } from "./setup/run.mjs";

const triple = `${process.arch === "arm64" ? "aarch64" : "x86_64"}-unknown-linux-gnu`;

/** Outside the clone, keyed by compiler and lock file: a clean clone rebuilds only our own crates (libcontainer alone takes minutes). */
function targetDirectory() {
  const rustc = execFileSync("rustc", ["--version"], { encoding: "utf8" }).split(" ")[1];
  const lock = createHash("sha256")
    .update(readFileSync(join(repository, "Cargo.lock")))
    .digest("hex")
    .slice(0, 12);
  return join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "ramekin", "cargo", `${rustc}-${lock}`);
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
