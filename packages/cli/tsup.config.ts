import { cpSync, existsSync, rmSync } from "node:fs";
import { defineConfig, type Options } from "tsup";

type Plugin = NonNullable<Options["esbuildPlugins"]>[number];

/** Files of this build that stay apart, by what the sources call them. */
const neighbours: Plugin = {
  name: "neighbours",
  setup(build) {
    build.onResolve({ filter: /\/command\.ts$/ }, ({ kind }) =>
      kind === "entry-point" ? undefined : { path: "./command.js", external: true },
    );
    build.onResolve({ filter: /\/oclif\/run\.ts$/ }, ({ kind }) =>
      kind === "entry-point" ? undefined : { path: "./oclif.js", external: true },
    );
  },
};

/**
 * Node's own modules by process.getBuiltinModule, when the code that uses them runs. In one file, `import` statements would
 * load all of them at every start (10 ms), and each reads every export of its module: 11 ms for node:fs alone.
 */
const builtinsOnDemand: Plugin = {
  name: "builtins-on-demand",
  setup(build) {
    build.onResolve({ filter: /^(node:.*|module)$/ }, ({ path }) => ({ path, namespace: "builtin" }));
    build.onLoad({ filter: /.*/, namespace: "builtin" }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)});`,
      loader: "js",
    }));
  },
};

rmSync("dist", { recursive: true, force: true });

/**
 * Made from the sources of every package. Only core stays outside, since plugins by others share it with us, and oclif,
 * which most starts never load.
 */
const common: Options = {
  format: "esm",
  removeNodeProtocol: false,
  target: "node22",
  tsconfig: "../../tsconfig.json",
  external: ["@ramekin/core", "@oclif/core"],
  noExternal: [/^@ramekin\/(?!core$)/, /^ramekin$/],
  esbuildOptions(options) {
    options.conditions = ["ramekin-source"];
    options.legalComments = "none";
  },
};

export default defineConfig([
  { ...common, entry: { main: "src/main.ts" }, splitting: false, esbuildPlugins: [neighbours] },
  {
    ...common,
    // one file: each more costs a start half a millisecond, and what a verb does not use is never run
    entry: { command: "src/command.ts" },
    splitting: false,
    esbuildPlugins: [neighbours, builtinsOnDemand],
  },
  {
    ...common,
    entry: { oclif: "src/oclif/run.ts", "oclif-commands": "src/oclif/commands.ts", index: "src/index.ts" },
    splitting: true,
    dts: { entry: { index: "src/index.ts" } },
    esbuildPlugins: [neighbours],
    async onSuccess() {
      // where the bundled package `ramekin` looks for it: beside its own folder
      rmSync("hello", { recursive: true, force: true });
      if (existsSync("../ramekin/hello")) cpSync("../ramekin/hello", "hello", { recursive: true });
    },
  },
]);
