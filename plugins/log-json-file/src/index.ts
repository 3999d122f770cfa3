import { definePlugin, type PluginFactory } from "@ramekin/core";
import { jsonFileLog } from "./json-file.ts";
import { localLog } from "./local.ts";
import { unreadLog } from "./unread.ts";

export type { FileLogOptions } from "./file-log.ts";
export { jsonFileLog } from "./json-file.ts";
export { localLog } from "./local.ts";
export { unreadLog } from "./unread.ts";

/** `root`: where the containers' directories are; the engine's own when absent. */
const jsonFile: PluginFactory<[options?: { readonly root?: string }]> = definePlugin((options = {}) => ({
  name: "log-json-file",
  provides: {
    log: {
      "json-file": { create: (context) => jsonFileLog({ root: options.root ?? context.root, warn: context.warn }) },
      local: { create: (context) => localLog({ root: options.root ?? context.root, warn: context.warn }) },
      none: { create: () => unreadLog("none") },
      passthrough: { create: () => unreadLog("passthrough") },
    },
  },
}));
export default jsonFile;
