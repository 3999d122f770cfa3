import { stat } from "node:fs/promises";

/**
 * `path` or `path:name`, as in containers-transports(5). A path that exists wins whole, then the shortest one that exists before a
 * colon; of a location that is still to be made, all before the first colon is the path.
 */
export async function splitLocation(location: string): Promise<{ readonly path: string; readonly name?: string }> {
  if (await exists(location)) return { path: location };
  const colons = [...location.matchAll(/:/g)].map(({ index }) => index).filter((index) => index > 0 && index < location.length - 1);
  for (const colon of colons) {
    const path = location.slice(0, colon);
    if (await exists(path)) return { path, name: location.slice(colon + 1) };
  }
  const [first] = colons;
  return first === undefined ? { path: location } : { path: location.slice(0, first), name: location.slice(first + 1) };
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT" || code === "ENOTDIR") return false;
    // There, though out of reach: opening it will say why.
    return true;
  }
}
