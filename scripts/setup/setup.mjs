import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { buildPackages, systemPackages, testPackages } from "./packages.mjs";
import { pinnedNode, repository, run } from "./run.mjs";
import { fingerprint, SetupError, step } from "./step.mjs";

const pnpm = "pnpm@10.34.9";

async function must(command, args, options) {
  const { code, output } = await run(command, args, { quiet: true, ...options });
  if (code !== 0)
    throw new SetupError(`${[command, ...args].join(" ")} failed with status ${code}:\n${output.split("\n").slice(-40).join("\n")}`);
}

/** Everything between a fresh clone and a command that runs. Each step is skipped when what it depends on has not changed. */
export async function setup({ forTests = false } = {}) {
  if (Number(process.versions.node.split(".")[0]) < 20) {
    throw new SetupError(`Node ${process.versions.node} is too old: version 20 or later is needed to set up`);
  }
  if (spawnSync("cargo", ["--version"]).status !== 0) {
    throw new SetupError("cargo was not found: Ramekin's core is written in Rust; install it with rustup (stable), then try again");
  }
  await systemPackages(buildPackages, { required: true });
  if (forTests) await systemPackages(testPackages, { required: false });

  await step("installing Node packages, Node 24 among them", {
    print: fingerprint(["pnpm-lock.yaml", "package.json", "pnpm-workspace.yaml"]),
    present: () => existsSync(join(repository, "node_modules", ".bin", "tsup")),
    work: (onLine) => must("npx", ["--yes", pnpm, "install", "--frozen-lockfile"], { onLine }),
  });
  await step("building the native parts (Rust; some minutes the first time)", {
    print: fingerprint(["Cargo.toml", "Cargo.lock", "crates", "scripts/build-native.mjs", "scripts/build-hello.mjs"], {
      skip: ["target", "tests"],
    }),
    present: () => existsSync(join(repository, ".cache", "native", "ramekin-shim")),
    work: async (onLine) => {
      await must(pinnedNode(), ["scripts/build-native.mjs"], { onLine });
      await must(pinnedNode(), ["scripts/build-hello.mjs"], { onLine });
    },
  });
  await step("building the TypeScript packages", {
    print: fingerprint(["pnpm-lock.yaml", "tsconfig.json", "turbo.json", "packages", "plugins"]),
    present: () => existsSync(join(repository, "packages", "cli", "dist", "main.cjs")),
    work: (onLine) => must("npx", ["--yes", pnpm, "run", "build"], { onLine }),
  });
}

/** Runs `main` and turns a SetupError into a message and status 1. */
export async function report(main) {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    process.stderr.write(`ramekin: ${error.message}\n`);
    process.exitCode = 1;
  }
}
