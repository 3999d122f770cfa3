// Builds the native parts into .cache/native: four static binaries by cargo, the addon by @napi-rs/cli.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { cargoEnvironment } from "./native-environment.mjs";
import { repository, run } from "./setup/run.mjs";

const binaries = ["ramekin-rootfs", "ramekin-shim", "ramekin-launcher", "ramekin-init"];
const output = join(repository, ".cache", "native");
const stamp = join(output, "build.json");

/** Names this state of the sources. */
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

const mark = "ramekin-build-id:";

/**
 * Writes the id over its placeholder (crates/ramekin-sys/src/build.rs): compiled in, it would have every part rebuilt for
 * a change in one. By rename: a running shim keeps the file that it was started from.
 */
function install(from, name, id) {
  const bytes = readFileSync(from);
  let places = 0;
  for (let at = bytes.indexOf(`${mark}dev`); at >= 0; at = bytes.indexOf(`${mark}dev`, at + 1), places++) {
    bytes.write(id.padEnd(16), at + mark.length, "latin1");
  }
  if (places === 0) throw new Error(`${from} has no place for its build id`);
  const temporary = join(output, `.${name}.${process.pid}`);
  writeFileSync(temporary, bytes, { mode: 0o755 });
  renameSync(temporary, join(output, name));
}

async function build(id) {
  const { triple, targetDirectory, env } = cargoEnvironment;
  const packages = binaries.flatMap((name) => ["--package", name]);
  console.log(`build-native: binaries, static, in ${targetDirectory}`);
  await must("cargo", ["build", ...cargoEnvironment.arguments, ...packages], env);

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
    await must("napi", ["build", "--release", "--cwd", crate, ...Object.entries(options).flat()]);
    // All at once, after everything was built: parts of two builds refuse each other.
    for (const name of binaries) install(join(targetDirectory, triple, "release", name), name, id);
    install(join(made, "ramekin.node"), "ramekin.node", id);
    writeFileSync(stamp, `${JSON.stringify({ id })}\n`);
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
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
