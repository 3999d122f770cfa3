import { dispatch } from "./dispatch.ts";

/** What the file `ramekin` runs. Ends the process once everything written has left it; open handles do not hold it up. */
export async function main(): Promise<void> {
  const status = await dispatch(process.argv.slice(2));
  await Promise.all([process.stdout, process.stderr].map(flushed));
  process.exit(status);
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || stream.writableLength === 0) return resolve();
    stream.once("error", () => resolve()); // whoever read it has gone
    stream.write("", () => resolve());
  });
}
