import { cpSync, existsSync, rmSync } from "node:fs";
import { defineConfig } from "tsup";

/**
 * The command is one bundle, made from the sources of every package: a start reads a handful of files instead of
 * hundreds. Only core stays outside, since plugins by others share it with us, and oclif, which most starts never load.
 */
export default defineConfig({
  entry: { main: "src/main.ts", "oclif-commands": "src/oclif/commands.ts", index: "src/index.ts" },
  format: "esm",
  target: "node22",
  splitting: true,
  clean: true,
  dts: { entry: { index: "src/index.ts" } },
  tsconfig: "../../tsconfig.json",
  external: ["@ramekin/core", "@oclif/core", "picocolors"],
  noExternal: [/^@ramekin\/(?!core$)/, /^ramekin$/],
  esbuildOptions(options) {
    options.conditions = ["ramekin-source"];
    options.legalComments = "none";
  },
  async onSuccess() {
    // where the bundled package `ramekin` looks for it: beside its own folder
    rmSync("hello", { recursive: true, force: true });
    if (existsSync("../ramekin/hello")) cpSync("../ramekin/hello", "hello", { recursive: true });
  },
});
