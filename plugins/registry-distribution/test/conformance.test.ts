import { randomUUID } from "node:crypto";
import { registrySuite, runSuite } from "@ramekin/conformance";
import { afterAll, beforeAll, beforeEach, describe, test } from "vitest";
import { distributionRegistry } from "../src/index.ts";
import { type DockerRegistry, dockerRegistry, noDockerRegistry } from "./support/docker-registry.ts";

describe("docker-registry", () => {
  let server: DockerRegistry | undefined;
  beforeEach((context) => {
    if (noDockerRegistry !== undefined) context.skip(noDockerRegistry);
  });
  beforeAll(async () => {
    if (noDockerRegistry === undefined) server = await dockerRegistry();
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  runSuite(test, registrySuite, {
    create: () => ({
      ...distributionRegistry({ credentials: async () => undefined, retry: { delay: 1 } }),
      home: { registry: server?.host ?? "", repository: `suite-${randomUUID()}` },
    }),
  });
});
