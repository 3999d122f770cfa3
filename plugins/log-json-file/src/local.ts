import { type LogDriver, RamekinError } from "@ramekin/core";
import { type FileLogOptions, fileLog } from "./file-log.ts";
import { lengthFraming } from "./framing.ts";
import { rotation } from "./options.ts";
import { framedRecords } from "./record.ts";

/** Shorter and faster to write than JSON, rotated and compressed unless somebody says otherwise: 20 MB in five files, as Docker's `local`. */
export const localLog = (options: FileLogOptions): LogDriver =>
  fileLog(options, {
    suffix: "-local.log",
    framing: lengthFraming,
    records: framedRecords,
    writer: (path, { options: given, attributes }) => {
      if (attributes)
        throw new RamekinError("UNSUPPORTED", "local: labels, env and tag are not kept", { hint: "the log driver json-file keeps them" });
      const usual =
        given["max-size"] === "-1" ? {} : { "max-size": "20m", "max-file": "5", ...(given["max-file"] !== "1" && { compress: "true" }) };
      return { type: "local", path, ...rotation("local", { ...usual, ...given }) };
    },
  });
