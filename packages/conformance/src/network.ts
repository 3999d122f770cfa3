import assert from "node:assert/strict";
import type { Endpoint, NetworkDriver } from "@ramekin/core";
import type { Suite } from "./suite.ts";

const absent: Endpoint = {
  network: { name: "absent", subnets: [], options: {} },
  containerId: "0".repeat(64),
  netns: "/nonexistent/netns",
  interfaceName: "eth0",
  name: "absent",
  aliases: [],
  ports: [],
};

/** What every driver must do. Cases for drivers that attach, in a network namespace, come with the first of them. */
export const networkSuite: Suite<NetworkDriver> = {
  kind: "network",
  cases: [
    {
      name: "its containers have a private namespace or share the host's",
      async run(driver) {
        assert.ok(["private", "host"].includes(driver.namespace), `namespace is ${JSON.stringify(driver.namespace)}`);
      },
    },
    {
      name: "who attaches detaches, and only in a private namespace",
      async run(driver) {
        assert.equal(typeof driver.attach, typeof driver.detach);
        if (driver.attach) assert.equal(driver.namespace, "private");
      },
    },
    {
      name: "detaching what is gone, namespace included, counts as done",
      needs: ["detach"],
      async run(driver) {
        await driver.detach?.(absent);
        await driver.detach?.(absent);
      },
    },
  ],
};
