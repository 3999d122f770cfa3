import { type DockerRegistry, dockerRegistry, noDockerRegistry } from "@ramekin/registry-distribution/testing";
import { afterAll, beforeAll } from "vitest";
import { succeed } from "./command.ts";
import { canonical, noImages, type TestImage } from "./images.ts";
import { needs } from "./test.ts";

export {
  authority,
  type Fault,
  type FaultProxy,
  faultProxy,
  firstTimes,
  noAuthority,
  ociRegistry,
  type SeenRequest,
} from "@ramekin/registry-distribution/testing";
export { type DockerRegistry, dockerRegistry, noDockerRegistry };

/** Debian's docker-registry on a free port, for the tests of a file or describe block; they are skipped where there is none. */
export function useRegistry(images: () => Promise<readonly TestImage[]>): () => DockerRegistry {
  const reason = noDockerRegistry ?? noImages;
  let server: DockerRegistry | undefined;
  needs(reason);
  beforeAll(async () => {
    if (reason !== undefined) return;
    server = await dockerRegistry();
    for (const image of await images()) await publish(image, server);
  });
  afterAll(() => server?.[Symbol.asyncDispose]());
  return () => {
    if (server === undefined) throw new Error("the registry is not open");
    return server;
  };
}

/** By skopeo, as `<host>/<name>:latest`; byte for byte. */
export async function publish({ folder, name }: TestImage, { host }: Pick<DockerRegistry, "host">): Promise<void> {
  const to = `docker://${host}/${name}:latest`;
  await succeed(["skopeo", "copy", "--quiet", "--all", "--dest-tls-verify=false", `oci:${folder}:${canonical(name)}`, to], {
    timeout: 120_000,
  });
}
