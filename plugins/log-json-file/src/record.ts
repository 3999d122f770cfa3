import type { LogRecord } from "@ramekin/core";

/**
 * One line of the file: `{"log":"text\n","stream":"stdout","time":"RFC 3339"}`, as Docker writes it. Without the line break, the
 * line goes on in the next record. Bytes that are no UTF-8 come whole in `raw`, base64. Undefined for what is no record.
 */
export function parseRecord(line: Buffer): LogRecord | undefined {
  let entry: unknown;
  try {
    entry = JSON.parse(line.toString("utf8"));
  } catch {
    return undefined; // cut short by a crash, or by somebody else
  }
  const { log, raw, stream, time } = (entry ?? {}) as Partial<Record<"log" | "raw" | "stream" | "time", unknown>>;
  if (typeof log !== "string" || (stream !== "stdout" && stream !== "stderr") || typeof time !== "string") return undefined;
  const at = new Date(time);
  if (Number.isNaN(at.getTime())) return undefined;
  const bytes = typeof raw === "string" ? Buffer.from(raw, "base64") : Buffer.from(log, "utf8");
  const whole = bytes.at(-1) === 0x0a;
  return { time: at, stream, line: whole ? bytes.subarray(0, -1) : bytes, ...(!whole && { partial: true }) };
}
