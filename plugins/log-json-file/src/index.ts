import { definePlugin, type PluginFactory } from "@ramekin/core";
import { jsonFileLog } from "./json-file.ts";

export { type JsonFileOptions, jsonFileLog } from "./json-file.ts";

/** `root`: where the containers' directories are; the engine's own when absent. */
const jsonFile: PluginFactory<[options?: { readonly root?: string }]> = definePlugin((options = {}) => ({
  name: "log-json-file",
  provides: { log: { "json-file": { create: (context) => jsonFileLog({ root: options.root ?? context.root, warn: context.warn }) } } },
}));
export default jsonFile;
