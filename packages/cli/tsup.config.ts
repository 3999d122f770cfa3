import { cpSync, existsSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { defineConfig, type Options } from "tsup";

type Plugin = NonNullable<Options["esbuildPlugins"]>[number];

/** By others, large, and not for everyday verbs: in files of their own, loaded with the module that needs them. Each with who depends on it. */
const apart = {
  "hash-wasm": "../../plugins/codec-wasm",
  fflate: "../../plugins/codec-wasm",
  "js-yaml": "../engine",
  "smol-toml": "../engine",
};
const librariesApart: Plugin = {
  name: "libraries-apart",
  setup(build) {
    build.onResolve({ filter: new RegExp(`^(${Object.keys(apart).join("|")})$`) }, ({ path }) => ({
      path: `./${path}.cjs`,
      external: true,
    }));
  },
};

/** Files of this build that stay apart, by what the sources call them. */
const neighbours: Plugin = {
  name: "neighbours",
  setup(build) {
    build.onResolve({ filter: /\/oclif\/run\.ts$/ }, ({ kind }) =>
      kind === "entry-point" ? undefined : { path: "./oclif.js", external: true },
    );
  },
};

rmSync("dist", { recursive: true, force: true });

/** Made from the sources of every package. */
const common: Options = {
  removeNodeProtocol: false,
  target: "node22",
  tsconfig: "../../tsconfig.json",
  noExternal: [/./],
  esbuildOptions(options) {
    options.conditions = ["ramekin-source"];
    options.legalComments = "none";
  },
};

/** What every start loads: CommonJS, where each of Node's own modules is loaded when the code that uses it first runs. */
const everyday: Options = {
  ...common,
  format: "cjs",
  // one file: each more costs a start half a millisecond, and what a verb does not use is never run
  splitting: false,
  esbuildPlugins: [neighbours, librariesApart],
  esbuildOptions(options, context) {
    common.esbuildOptions?.(options, context);
    // it becomes require, also of oclif's own modules: import() in a script of node:vm warns that it is experimental
    options.supported = { ...options.supported, "dynamic-import": false };
    options.define = { ...options.define, "import.meta.dirname": "__dirname", "import.meta.url": "__filename" };
  },
};

const resolveFrom = (dependent: string, name: string): string =>
  createRequire(new URL(`${dependent}/package.json`, import.meta.url)).resolve(name);

export default defineConfig([
  {
    ...everyday,
    entry: { main: "src/main-built.ts", command: "src/command.ts" },
    async onSuccess() {
      // esbuild escapes what it can, but no regular expressions; one letter more, and Node takes three times as long to read it
      const beyond = /.*[^\0-\x7f].*/.exec(readFileSync("dist/command.cjs", "utf8"));
      if (beyond) throw new Error(`dist/command.cjs must be ASCII, for a fast start: ${beyond[0]}`);
    },
  },
  { ...everyday, entry: Object.fromEntries(Object.entries(apart).map(([name, dependent]) => [name, resolveFrom(dependent, name)])) },
  {
    ...common,
    format: "esm",
    // core, since plugins by others share it with us, and oclif, which most starts never load, stay outside
    noExternal: [/^@ramekin\/(?!core$)/, /^ramekin$/],
    external: ["@ramekin/core", "@oclif/core"],
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
