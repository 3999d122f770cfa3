import type { Digest } from "@ramekin/core";
import type { Container, ContainerDetails, ContainerInfo, ImageDetails, ImageInfo } from "@ramekin/engine";

export const digest = (letter: string) => `sha256:${letter.repeat(64)}` as Digest;

export function containerInfo(fields: Partial<ContainerInfo> = {}): ContainerInfo {
  return {
    id: "0123456789ab".padEnd(64, "c"),
    name: "web",
    image: "nginx",
    imageId: digest("a"),
    command: ["nginx", "-g", "daemon off;"],
    createdAt: new Date(Date.now() - 180_000),
    startedAt: new Date(Date.now() - 150_000),
    status: "running",
    pid: 42,
    labels: { tier: "front" },
    network: "none",
    isolation: "linux",
    mounts: [],
    ...fields,
  };
}

export function containerDetails(fields: Partial<ContainerDetails> = {}): ContainerDetails {
  const info = containerInfo(fields);
  return {
    ...info,
    restartCount: 0,
    env: [],
    volumes: [],
    bundle: `/store/containers/${info.id}/bundle`,
    config: {
      version: 1,
      id: info.id,
      name: info.name,
      createdAt: info.createdAt.toISOString(),
      image: { name: info.image, descriptor: { mediaType: "", digest: info.imageId, size: 1 }, manifest: info.imageId, chainId: "" },
      options: { image: info.image },
      storage: { driver: "overlayfs", package: "", key: info.id },
      isolation: { driver: "linux", package: "" },
      network: { driver: info.network, package: "" },
      log: { driver: "json-file", package: "", options: {} },
      process: { args: info.command, tty: false },
      stopSignal: "SIGTERM",
      stopTimeout: 10,
    },
    ...fields,
  };
}

/** Only what a test says it has. */
export function container(methods: Partial<Container>): Container {
  return {
    id: containerInfo().id,
    name: "web",
    async inspect() {
      return containerDetails();
    },
    ...methods,
  } as Container;
}

export function imageInfo(fields: Partial<ImageInfo> = {}): ImageInfo {
  const id = fields.id ?? digest("b");
  return {
    id,
    name: "docker.io/library/debian:12",
    descriptor: { mediaType: "application/vnd.oci.image.manifest.v1+json", digest: id, size: 500 },
    createdAt: new Date(Date.now() - 3 * 86_400_000),
    size: 48_500_000,
    ...fields,
  };
}

export function imageDetails(fields: Partial<ImageDetails> = {}): ImageDetails {
  const info = imageInfo(fields);
  return {
    ...info,
    names: info.name === undefined ? [] : [info.name],
    platform: { os: "linux", architecture: "amd64" },
    manifest: { schemaVersion: 2, config: info.descriptor, layers: [] },
    config: {
      os: "linux",
      architecture: "amd64",
      rootfs: { type: "layers", diff_ids: [] },
      config: { Env: ["A=1"], Labels: { os: "debian" } },
    },
    ...fields,
  };
}
