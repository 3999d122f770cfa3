import { fileURLToPath } from "node:url";
import { Config } from "@oclif/core";
import { topics } from "../verbs/index.ts";
import { version } from "../version.ts";

/** oclif's view of this package. Given here and not in package.json: sources and build keep their commands in different files. */
export async function loadConfig(): Promise<Config> {
  const fromSource = import.meta.url.endsWith(".ts");
  return await Config.load({
    root: fileURLToPath(new URL(fromSource ? "../../" : "../", import.meta.url)),
    ignoreManifest: true,
    pjson: {
      name: "@ramekin/cli",
      version: version(),
      type: "module",
      oclif: {
        bin: "ramekin",
        topicSeparator: " ",
        topics: Object.fromEntries(Object.entries(topics).map(([name, description]) => [name, { description }])),
        commands: {
          strategy: "explicit",
          target: fromSource ? "./src/oclif/commands.ts" : "./dist/oclif-commands.js",
          identifier: "commands",
        },
      },
    },
  });
}
