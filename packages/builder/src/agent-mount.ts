import { closeSync, constants, openSync } from "node:fs";
import { createConnection, createServer, type Socket } from "node:net";
import { basename, dirname, join } from "node:path";
import { type BuildMount, RamekinError } from "@ramekin/core";
import type { StepMount } from "@ramekin/dockerfile";
import type { Workbench } from "./workbench.ts";

const variable = "SSH_AUTH_SOCK";

/**
 * `RUN --mount=type=ssh`: a socket of its own for the step, behind which is the caller's agent. Not the agent's own socket: its owner
 * and mode are the step's to choose, and it is gone with the step.
 */
export async function agentMount(
  { session }: Workbench,
  { id = "default", destination, required, mode = 0o600, uid = 0, gid = 0 }: StepMount,
  agents: Readonly<Record<string, string>>,
  number: number,
  held: AsyncDisposableStack,
): Promise<readonly BuildMount[]> {
  const agent = Object.hasOwn(agents, id) ? agents[id] : undefined;
  if (agent === undefined) {
    if (required)
      throw new RamekinError("NOT_FOUND", `no ssh agent ${id} was forwarded`, {
        hint: id === "default" ? "--ssh default" : `--ssh ${id}=PATH`,
      });
    return [];
  }
  const source = join(await session.folder(), "agent");
  const open = new Set<Socket>();
  const server = createServer((near) => {
    const far = connectTo(agent);
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(socket);
      socket.on("error", () => other.destroy());
      socket.on("close", () => open.delete(socket));
      socket.pipe(other);
    }
  });
  const short = shortPath(source);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).once("close", short.close);
    server.listen(short.path, resolve);
  });
  held.defer(() => {
    for (const socket of open) socket.destroy();
    return new Promise((resolve) => server.close(() => resolve()));
  });
  return [{ type: "socket", source, target: destination ?? `/run/buildkit/ssh_agent.${number}`, mode, uid, gid }];
}

/** The address of a socket has room for 107 bytes (unix(7)), which a path may exceed: one by its directory's descriptor does not. */
function shortPath(path: string): { readonly path: string; close(): void } {
  if (Buffer.byteLength(path) <= 107) return { path, close: () => {} };
  const directory = openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY);
  return { path: `/proc/self/fd/${directory}/${basename(path)}`, close: () => closeSync(directory) };
}

function connectTo(agent: string): Socket {
  const short = shortPath(agent);
  return createConnection(short.path).once("close", short.close);
}

/** Where programs look for it; the first of several, as in BuildKit. */
export function agentVariable(asked: readonly StepMount[], mounts: readonly BuildMount[]): readonly string[] {
  if (!asked.some(({ type }) => type === "ssh")) return [];
  const first = mounts.find(({ type }) => type === "socket");
  return first?.target === undefined ? [] : [`${variable}=${first.target}`];
}
