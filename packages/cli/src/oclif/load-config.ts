import { Config } from "@oclif/core";
import { topics } from "../verbs/index.ts";
import { packageFolder, packageManifest } from "../version.ts";

/** oclif's view of this package. Given here and not in package.json: sources and build keep their commands in different files. */
export async function loadConfig(): Promise<Config> {
  const target = import.meta.url.endsWith(".ts") ? "./src/oclif/commands.ts" : "./dist/oclif-commands.js";
  return await Config.load({
    root: packageFolder,
    ignoreManifest: true,
    pjson: {
      ...packageManifest(),
      type: "module",
      oclif: {
        bin: "ramekin",
        topicSeparator: " ",
        topics: Object.fromEntries(Object.entries(topics).map(([name, description]) => [name, { description }])),
        commands: { strategy: "explicit", target, identifier: "commands" },
      },
    },
  });
}
