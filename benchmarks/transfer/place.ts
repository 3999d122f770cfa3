import { execFileSync } from "node:child_process";
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

/**
 * A scratch directory that goes away with this process: a new ext4 in a file, as mkfs makes it. On the one that /tmp is on, the
 * measurements would be of its age: without a journal, ext4 passes over every inode that was deleted in the last minutes, one by one
 * (`recently_deleted` in fs/ext4/ialloc.c), and what each contender's last run has left behind costs the next one up to 2 s of 2.5.
 */
export function scratch(): string {
  const directory = mkdtempSync(join(tmpdir(), "ramekin-bench-"));
  const disk = `${directory}.ext4`;
  process.on("exit", () => {
    try {
      execFileSync("umount", ["--lazy", directory], { stdio: "ignore" });
    } catch {
      // it was never mounted
    }
    rmSync(directory, { recursive: true, force: true });
    rmSync(disk, { force: true });
  });
  execFileSync("truncate", ["--size", "32G", disk]);
  // nothing is left for the kernel to do in the background
  execFileSync("mkfs.ext4", ["-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", disk], { env: { ...process.env, PATH: path } });
  execFileSync("mount", ["-o", "loop", disk, directory]);
  return directory;
}

/** mkfs is not on everybody's path. */
const path = `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`;

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
