/** For this repository's other tests; not in the published package. */
export { type Authority, authority, type Identity, noAuthority } from "./authority.ts";
export { type DockerRegistry, type DockerRegistryOptions, dockerRegistry, noDockerRegistry } from "./docker-registry.ts";
export { type Fault, type FaultProxy, faultProxy, firstTimes, type SeenRequest } from "./fault-proxy.ts";
export { ociRegistry } from "./ociregistry.ts";
