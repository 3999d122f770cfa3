import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Of this package, with a slash: one folder up from src and from dist alike. */
export const packageFolder = fileURLToPath(new URL("../", import.meta.url));

export function version(): string {
  return packageManifest().version;
}

export function packageManifest(): { readonly name: string; readonly version: string } {
  return JSON.parse(readFileSync(`${packageFolder}package.json`, "utf8"));
}
