/** Ends the process once everything written has left it; handles that are still open do not hold it up. */
export async function finish(status: number): Promise<void> {
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
