import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { dockerDaemon, noDocker } from "../../support/docker.ts";
import { buildAll } from "./build-all.ts";
import { type Builder, buildah, docker, noBuildah } from "./builders.ts";
import { buildkit, noBuildkit } from "./buildkit.ts";
import type { BuildCase } from "./cases.ts";
import { makeContexts } from "./context.ts";
import type { View } from "./view.ts";

/** What our answers are held against: a current BuildKit, the two builders of Debian's dockerd (BuildKit and the classic one), its buildah. */
export const peers = ["buildkit", "dockerd", "classic", "buildah"] as const;
export type Peer = (typeof peers)[number];

/** Why it cannot be asked here. */
export const absent: Readonly<Record<Peer, string | undefined>> = {
  buildkit: noBuildkit,
  dockerd: noDocker,
  classic: noDocker,
  buildah: noBuildah,
};

export const recordOf = (peer: Peer) => join(import.meta.dirname, `${peer}.json`);
export const isRecorded = (peer: Peer) => existsSync(recordOf(peer));

/** What these peers, which must be here, make of the cases now. */
export async function askPeers(
  asked: readonly Peer[],
  cases: readonly BuildCase[],
  { folder, port }: { readonly folder: string; readonly port: string },
): Promise<ReadonlyMap<Peer, ReadonlyMap<string, View>>> {
  const views = new Map<Peer, ReadonlyMap<string, View>>();
  await mkdir(folder, { recursive: true });
  const build = async (peer: Peer, builder: Builder) => {
    const contexts = join(folder, `contexts-${peer}`);
    await makeContexts(contexts, cases);
    views.set(peer, await buildAll(builder, cases, { contexts, port }));
  };
  if (asked.includes("buildkit")) {
    await using builder = await buildkit();
    await build("buildkit", builder);
  }
  if (asked.includes("dockerd") || asked.includes("classic")) {
    await using daemon = await dockerDaemon();
    const both = docker(daemon.command, daemon.folder);
    if (asked.includes("dockerd")) await build("dockerd", both.buildkit);
    if (asked.includes("classic")) await build("classic", both.classic);
  }
  if (asked.includes("buildah")) {
    await using builder = await buildah();
    await build("buildah", builder);
  }
  return views;
}
