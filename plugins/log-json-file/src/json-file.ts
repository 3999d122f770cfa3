import type { LogDriver } from "@ramekin/core";
import { type FileLogOptions, fileLog } from "./file-log.ts";
import { lineFraming } from "./framing.ts";
import { rotation } from "./options.ts";
import { jsonRecords } from "./record.ts";

/** Docker's json-file, where Docker has it. */
export const jsonFileLog = (options: FileLogOptions): LogDriver =>
  fileLog(options, {
    suffix: "-json.log",
    framing: lineFraming,
    records: jsonRecords,
    writer: (path, { options: given, attributes }) => ({
      type: "json-file",
      path,
      ...rotation("json-file", given),
      ...(attributes && { attributes }),
    }),
  });
