import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { RamekinError } from "@ramekin/core";
import type { Trust } from "../dialer.ts";

/** Paths of PEM files, and whether the host is believed without any. */
export interface Trusted {
  readonly authorities: readonly string[];
  readonly identities: readonly { readonly cert: string; readonly key: string }[];
  readonly insecure: boolean;
}

/**
 * `certs.d/<host>[:<port>]` as Docker and containers have it (containers-certs.d(5)): `*.crt` are authorities, `NAME.cert` and
 * `NAME.key` prove who we are. The first folder that exists counts.
 */
export async function certificatesOf(folders: readonly string[], names: readonly string[]): Promise<Trusted> {
  for (const folder of folders.flatMap((each) => names.map((host) => join(each, host)))) {
    const found = await certificatesIn(folder);
    if (found) return found;
  }
  return { authorities: [], identities: [], insecure: false };
}

/** Undefined where there is no such folder. */
export async function certificatesIn(folder: string): Promise<Trusted | undefined> {
  const files = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
    throw new RamekinError("PERMISSION_DENIED", `cannot read ${folder}: ${error.message}`, { cause: error });
  });
  if (!files) return undefined;
  const ending = (suffix: string) => files.filter((name) => name.endsWith(suffix)).sort();
  const identities = ending(".cert").map((cert) => {
    const key = cert.replace(/cert$/, "key");
    if (files.includes(key)) return { cert: join(folder, cert), key: join(folder, key) };
    throw new RamekinError("INVALID_ARGUMENT", `${join(folder, cert)} has no key`, {
      hint: `its key is ${key} beside it; authorities end in .crt`,
    });
  });
  const alone = ending(".key").find((key) => !files.includes(key.replace(/key$/, "cert")));
  if (alone !== undefined) {
    throw new RamekinError("INVALID_ARGUMENT", `${join(folder, alone)} has no certificate`, {
      hint: `its certificate is ${alone.replace(/key$/, "cert")} beside it; authorities end in .crt`,
    });
  }
  return { authorities: ending(".crt").map((name) => join(folder, name)), identities, insecure: false };
}

export async function loadTrust({ authorities, identities, insecure }: Trusted): Promise<Trust> {
  const read = (path: string) =>
    readFile(path, "utf8").catch((cause: Error) => {
      throw new RamekinError("INVALID_ARGUMENT", `cannot read ${path}: ${cause.message}`, { cause });
    });
  return {
    authorities: await Promise.all(authorities.map(read)),
    identities: await Promise.all(identities.map(async ({ cert, key }) => ({ cert: await read(cert), key: await read(key) }))),
    verified: !insecure,
  };
}
