import { RamekinError } from "@ramekin/core";
import { parseReference } from "@ramekin/oci";

/** A registry as people type it, as references call it: Docker's URL of its own, with or without https://, are all docker.io. */
export function serverName(text: string | undefined): string {
  if (text === undefined || text === "") return "docker.io";
  const host = text.replace(/^https?:\/\//, "").split("/", 1)[0] ?? "";
  if (["docker.io", "index.docker.io", "registry-1.docker.io"].includes(host)) return "docker.io";
  // A name without dot or port is a part of Docker Hub in a reference, and nothing that one could log in to.
  const known = /[.:]/.test(host) || host === "localhost";
  if (known && parseReference(`${host}/x`).registry === host) return host;
  throw new RamekinError("INVALID_ARGUMENT", `${JSON.stringify(text)} is not a registry`, {
    hint: "write HOST, HOST:PORT, or nothing for Docker Hub",
  });
}
