import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DockerRegistry, dockerRegistry, noDockerRegistry } from "@ramekin/registry-distribution/testing";
import type { Contender } from "../contender.ts";
import { program } from "../start/program.ts";
import { type ImageName, images, layoutOf } from "./corpus.ts";
import type { Client } from "./engines.ts";

/** One table of a scenario. */
export interface Group {
  readonly title: string;
  readonly contenders: readonly Contender[];
  readonly against: readonly string[];
}

/** A scratch directory that goes away with this process. */
export function scratch(): string {
  const directory = mkdtempSync(join(tmpdir(), "ramekin-bench-"));
  process.on("exit", () => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export function chosen(name: string | undefined): readonly ImageName[] {
  const all = Object.keys(images) as ImageName[];
  if (name === undefined) return all;
  if (!(name in images)) throw new Error(`no image ${name}; there are: ${all.join(", ")}`);
  return [name as ImageName];
}

/** Docker 20.10 knows no zstd layers. */
export const readable = (client: Client, image: ImageName): Client =>
  client.name === "docker" && image === "debian-zstd" ? { ...client, absent: "docker 20.10 reads no zstd layers" } : client;

/** A registry on loopback, and the name of an image in it; the process does not end before it is closed. */
export async function openRegistry(): Promise<DockerRegistry & { publish(name: ImageName): Promise<string> }> {
  if (noDockerRegistry !== undefined) throw new Error(noDockerRegistry);
  const registry = await dockerRegistry();
  return Object.assign(registry, {
    async publish(name: ImageName) {
      const reference = `${registry.host}/${name}:bench`;
      await program("skopeo", ["copy", "--quiet", "--dest-tls-verify=false", `oci:${layoutOf(name)}:bench`, `docker://${reference}`]);
      return reference;
    },
  });
}

/** What every client's contender has in common. */
export function contender(client: Client, run: Contender["run"], more: Partial<Contender> = {}): Contender {
  const { name, absent, open, empty, close } = client;
  return {
    name,
    ...(absent !== undefined && { absent }),
    ...(open && { prepare: open }),
    reset: empty,
    ...(run && { run }),
    ...(close && { dispose: close }),
    ...more,
  };
}
