/** For this repository's other tests; not in the published package. */
export { type DockerRegistry, dockerRegistry, noDockerRegistry } from "./docker-registry.ts";
export { type Fault, type FaultProxy, faultProxy, firstTimes, type SeenRequest } from "./fault-proxy.ts";
