import { dispatch } from "./dispatch.ts";
import { statusOfSignal } from "./exit-status.ts";

/** What the file `ramekin` runs. Ends the process once everything written has left it; open handles do not hold it up. */
export async function main(): Promise<void> {
  process.stdout.on("error", leave);
  // messages that nobody reads are no reason to stop
  process.stderr.on("error", () => {});
  const status = await dispatch(process.argv.slice(2));
  await Promise.all([process.stdout, process.stderr].map(flushed));
  process.exit(status);
}

/** As a program ends whose reader has gone: by SIGPIPE, which Node ignores. A container goes on, as in Docker. */
function leave(error: NodeJS.ErrnoException): void {
  if (error.code === "EPIPE") process.exit(statusOfSignal("SIGPIPE"));
  process.stderr.write(`ramekin: cannot write to stdout: ${error.message}\n`);
  process.exit(1);
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || stream.writableLength === 0) return resolve();
    stream.once("error", () => resolve()); // whoever read it has gone
    stream.write("", () => resolve());
  });
}
