// Runs somebody else's program with little memory, few processes, no network, a read-only root and a deadline:
//   node run-untrusted.ts IMAGE PROGRAM [ARGUMENT…]
import { isRamekinError } from "@ramekin/core";
import { createRamekin } from "ramekin";

const [image = "ramekin/hello", ...command] = process.argv.slice(2);

await using engine = await createRamekin();
try {
  await using container = await engine.run({
    image,
    ...(command.length > 0 && { command }),
    network: "none",
    readOnly: true,
    mounts: [{ type: "tmpfs", target: "/tmp", size: 16 << 20 }],
    resources: { memory: { limit: 64 << 20 }, pids: { limit: 32 } },
  });
  const deadline = setTimeout(() => void container.kill(), 10_000);
  const [stdout, stderr] = await Promise.all([text(container.stdout), text(container.stderr)]);
  const { code, oomKilled } = await container.wait();
  clearTimeout(deadline);
  console.log({ code, oomKilled: oomKilled ?? false, stdout, stderr });
} catch (error) {
  if (!isRamekinError(error)) throw error;
  console.error(`${error.code}: ${error.message}${error.hint ? `\n  ${error.hint}` : ""}`);
  process.exitCode = 1;
}

/** At most 1 MiB of it: a stranger's output is not to be trusted either. */
async function text(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let all = "";
  for await (const chunk of stream) if (all.length < 1 << 20) all += decoder.decode(chunk, { stream: true });
  return all;
}
