// Builds the native parts into .cache/native: four static binaries by cargo, the addon by @napi-rs/cli.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { cargoEnvironment } from "./native-environment.mjs";
import { repository, run } from "./setup/run.mjs";

const binaries = ["ramekin-rootfs", "ramekin-shim", "ramekin-launcher", "ramekin-init"];
const output = join(repository, ".cache", "native");
const stamp = join(output, "build.json");

/** Names this state of the sources; compiled into every part. */
function buildId() {
  const hash = createHash("sha256").update(execFileSync("rustc", ["--version", "--verbose"]));
  const add = (path) => hash.update(relative(repository, path)).update("\0").update(readFileSync(path));
  for (const name of ["Cargo.toml", "Cargo.lock"]) add(join(repository, name));
  const entries = readdirSync(join(repository, "crates"), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  for (const file of files.filter((path) => !/\/(tests|target)\//.test(path)).sort()) add(file);
  return hash.digest("hex").slice(0, 16);
}

async function must(command, args, env) {
  const { code } = await run(command, args, { env });
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} failed with status ${code}`);
}

/** By rename: a running shim keeps the file that it was started from. */
function install(from, name) {
  const temporary = join(output, `.${name}.${process.pid}`);
  copyFileSync(from, temporary);
  chmodSync(temporary, 0o755);
  renameSync(temporary, join(output, name));
}

async function build(id) {
  const { triple, targetDirectory, env } = cargoEnvironment;
  const shared = { RAMEKIN_BUILD_ID: id };
  const packages = binaries.flatMap((name) => ["--package", name]);
  console.log(`build-native: binaries, static, in ${targetDirectory}`);
  await must("cargo", ["build", ...cargoEnvironment.arguments, ...packages], { ...env, ...shared });
  for (const name of binaries) install(join(targetDirectory, triple, "release", name), name);

  console.log("build-native: the addon");
  const crate = join(repository, "crates", "bindings-napi");
  const made = join(targetDirectory, `addon-${process.pid}`);
  const options = {
    "--manifest-path": "Cargo.toml",
    "--package-json-path": "package.json",
    "--output-dir": made,
    "--target-dir": targetDirectory,
  };
  try {
    await must("napi", ["build", "--release", "--cwd", crate, "--dts", "ramekin.d.ts", ...Object.entries(options).flat()], shared);
    install(join(made, "ramekin.node"), "ramekin.node");
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
  writeFileSync(stamp, `${JSON.stringify({ id })}\n`);
}

const id = buildId();
const present = [...binaries, "ramekin.node"].every((name) => existsSync(join(output, name)));
if (present && existsSync(stamp) && JSON.parse(readFileSync(stamp, "utf8")).id === id) {
  console.log(`build-native: ${id} is up to date`);
} else {
  mkdirSync(output, { recursive: true });
  await build(id);
  console.log(`build-native: ${id} is in ${relative(process.cwd(), output) || "."}`);
}
