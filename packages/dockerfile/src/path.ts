import { cleanPath } from "./glob.ts";

/** An absolute path stays as it is written, as in Docker; a relative one is joined and cleaned. */
export function resolvePath(from: string, to: string): string {
  const base = from.startsWith("/") ? from : `/${from}`;
  if (to === "") return base;
  return to.startsWith("/") ? to : cleanPath(`${base}/${to}`);
}

/** As resolvePath, but what says "directory" at the end stays. */
export function resolveDestination(from: string, to: string): string {
  const written = to === "." || to === "" ? "./" : to;
  const path = resolvePath(from, written);
  if (written.endsWith("/") && !path.endsWith("/")) return `${path}/`;
  return written.endsWith("/.") && !written.startsWith("/") ? `${path === "/" ? "" : path}/.` : path;
}

export const lastName = (path: string) => cleanPath(path).split("/").at(-1) ?? "";
