import type { ContainerInfo, Engine } from "@ramekin/engine";

/** With the ports that their images expose; an image that is not here any more exposes none. */
export async function withImagePorts(engine: Engine, containers: readonly ContainerInfo[]): Promise<readonly ContainerInfo[]> {
  const ids = [...new Set(containers.map(({ imageId }) => imageId))];
  const ports = new Map(await Promise.all(ids.map(async (id) => [id, await portsOf(engine, id)] as const)));
  return containers.map((container) => ({ ...container, expose: [...(container.expose ?? []), ...(ports.get(container.imageId) ?? [])] }));
}

async function portsOf(engine: Engine, id: string): Promise<readonly string[]> {
  try {
    const { config } = await engine.image(id);
    const exposed = (config as { readonly config?: { readonly ExposedPorts?: Readonly<Record<string, unknown>> } }).config?.ExposedPorts;
    return Object.keys(exposed ?? {}).map((port) => (port.includes("/") ? port : `${port}/tcp`));
  } catch {
    return [];
  }
}
