import { readdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type LogDriver, type LogOptions, type LogReadOptions, type LogRecord, type LogWriterSpec, RamekinError } from "@ramekin/core";
import { type LogFormat, readLog } from "./read.ts";

export interface FileLogOptions {
  /** Has a directory for each container. */
  readonly root: string;
  readonly warn?: (message: string) => void;
}

export interface FileLogFormat extends LogFormat {
  /** Behind the container's id. */
  readonly suffix: string;
  writer(path: string, options: LogOptions): LogWriterSpec;
}

/** A log in `<root>/<id>/<id><suffix>`, with `.1` or `.1.gz` and so on when it is rotated. */
export function fileLog({ root, warn = () => {} }: FileLogOptions, format: FileLogFormat): LogDriver {
  const path = (id: string) => {
    if (!/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(id)) throw new RamekinError("INVALID_ARGUMENT", `bad container id ${JSON.stringify(id)}`);
    return join(root, id, `${id}${format.suffix}`);
  };
  const readBatches = (id: string, options: LogReadOptions = {}) => readLog(path(id), format, options, warn);
  return {
    writer: (options) => format.writer(path(options.containerId), options),
    readBatches,
    async *read(id, options): AsyncGenerator<LogRecord> {
      for await (const batch of readBatches(id, options)) yield* batch;
    },
    async remove(id) {
      const file = path(id);
      const entries = await readdir(dirname(file)).catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return [];
        throw error;
      });
      const literally = (text: string) => text.replaceAll(".", "\\.");
      const own = new RegExp(`^${literally(id)}${literally(format.suffix)}(\\.[0-9]+(\\.gz(\\.part)?)?)?$`);
      for (const entry of entries) if (own.test(entry)) await rm(join(dirname(file), entry), { force: true });
    },
  };
}
