import { randomUUID } from "node:crypto";
import { registrySuite, runSuite } from "@ramekin/conformance";
import { afterAll, beforeEach, describe, test } from "vitest";
import { distributionRegistry } from "../src/index.ts";
import { dockerRegistry, noDockerRegistry } from "./support/docker-registry.ts";
import { ociRegistry } from "./support/ociregistry.ts";

const servers = {
  "docker-registry": noDockerRegistry ?? (await dockerRegistry()),
  ociregistry: await ociRegistry(),
};

describe.each(Object.entries(servers))("%s", (_, server) => {
  beforeEach((context) => {
    if (typeof server === "string") context.skip(server);
  });
  afterAll(async () => {
    if (typeof server !== "string") await server[Symbol.asyncDispose]();
  });

  runSuite(test, registrySuite, {
    create: () => ({
      ...distributionRegistry({ credentials: async () => undefined, retry: { delay: 1 } }),
      home: { registry: typeof server === "string" ? "" : server.host, repository: `suite-${randomUUID()}` },
    }),
  });
});
