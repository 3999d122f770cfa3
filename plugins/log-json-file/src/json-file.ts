import { readdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type LogDriver, RamekinError } from "@ramekin/core";
import { rotation } from "./options.ts";
import { readLog } from "./read.ts";

export interface JsonFileOptions {
  /** Has a directory for each container. */
  readonly root: string;
  readonly warn?: (message: string) => void;
}

/** Docker's json-file, where Docker has it: `<root>/<id>/<id>-json.log`, with `.1` and so on when it is rotated. */
export function jsonFileLog({ root, warn = () => {} }: JsonFileOptions): LogDriver {
  const path = (id: string) => {
    if (!/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(id)) throw new RamekinError("INVALID_ARGUMENT", `bad container id ${JSON.stringify(id)}`);
    return join(root, id, `${id}-json.log`);
  };
  return {
    writer: ({ containerId, options }) => ({ type: "json-file", path: path(containerId), ...rotation(options) }),
    read: (id, options = {}) => readLog(path(id), options, warn),
    async remove(id) {
      const file = path(id);
      const entries = await readdir(dirname(file)).catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return [];
        throw error;
      });
      const own = new RegExp(`^${id.replaceAll(".", "\\.")}-json\\.log(\\.[0-9]+)?$`);
      for (const entry of entries) if (own.test(entry)) await rm(join(dirname(file), entry), { force: true });
    },
  };
}
