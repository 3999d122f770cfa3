import { createHash } from "node:crypto";
import type { BuildEvent } from "ramekin";
import type { OutputStream } from "../../context.ts";
import type { BuildProgress } from "./watch-build.ts";

/** BuildKit's `SolveStatus` as JSON, one document a line: what programs that read `--progress=rawjson` expect. */
export function rawProgress(stream: OutputStream): BuildProgress {
  const steps = new Map<number, { readonly vertex: { digest: string; name: string; started: string } }>();
  const write = (document: object) => void stream.write(`${JSON.stringify(document)}\n`);
  const digestOf = (step: number) => steps.get(step)?.vertex.digest;
  const take = (event: BuildEvent) => {
    const now = new Date().toISOString();
    if (event.type === "begin") {
      const digest = `sha256:${createHash("sha256").update(`${event.step} ${event.name}`).digest("hex")}`;
      const vertex = { digest, name: event.name, started: now };
      steps.set(event.step, { vertex });
      write({ vertexes: [vertex] });
    } else if (event.type === "output") {
      const data = Buffer.from(event.bytes).toString("base64");
      write({ logs: [{ vertex: digestOf(event.step), stream: event.stream === "stdout" ? 1 : 2, data, timestamp: now }] });
    } else if (event.type === "part") {
      const { started } = steps.get(event.step)?.vertex ?? { started: now };
      const status = { id: event.name, vertex: digestOf(event.step), current: event.bytes ?? 0, timestamp: now, started };
      write({ statuses: [{ ...status, ...(event.done && { completed: now }) }] });
    } else if (event.type === "end") {
      const { vertex } = steps.get(event.step) ?? {};
      const error = event.cancelled ? "context canceled" : event.error;
      write({ vertexes: [{ ...vertex, completed: now, ...(event.cached && { cached: true }), ...(error !== undefined && { error }) }] });
    } else if (event.type === "warning") {
      const { description, url, file, lines } = event.warning;
      const base64 = (text: string) => Buffer.from(text).toString("base64");
      const range = [{ start: { line: lines[0] }, end: { line: lines[1] } }];
      const about = { level: 1, short: base64(event.message), detail: [base64(description)], url, sourceInfo: { filename: file }, range };
      write({ warnings: [{ vertex: digestOf(event.step), ...about }] });
    }
  };
  return { take, pause: () => ({ [Symbol.dispose]() {} }), [Symbol.dispose]() {} };
}
