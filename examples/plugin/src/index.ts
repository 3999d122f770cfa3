import { rm } from "node:fs/promises";
import { join } from "node:path";
import { definePlugin, type LogDriver, type PluginFactory, RamekinError } from "@ramekin/core";

/** Docker's json-file format, one file per container under `root`, where a log shipper can find it. */
export function folderLog(root: string): LogDriver {
  const path = (id: string) => join(root, `${id}.log`);
  return {
    writer({ containerId, options: { "max-size": size = "10000000", ...unknown } }) {
      const wrong = Number(size) > 0 ? Object.keys(unknown)[0] : "max-size";
      if (wrong !== undefined) {
        throw new RamekinError("INVALID_ARGUMENT", `log-folder: bad option ${wrong}`, { hint: "max-size=BYTES is the only one" });
      }
      return { type: "json-file", path: path(containerId), maxBytes: Number(size) };
    },
    remove: (id) => rm(path(id), { force: true }),
  };
}

/** A whole third-party plugin: it returns data, since the supervisor writes the log when Node is long gone. */
const logFolder: PluginFactory<[options?: { readonly root?: string }]> = definePlugin((options = {}) => ({
  name: "log-folder",
  provides: { log: { folder: { create: ({ root }) => folderLog(options.root ?? root) } } },
}));
export default logFolder;
