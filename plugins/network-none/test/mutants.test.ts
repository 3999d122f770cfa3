import { networkSuite, outcomes } from "@ramekin/conformance";
import type { NetworkDriver } from "@ramekin/core";
import { expect, test } from "vitest";
import { noneNetwork } from "../src/index.ts";

const attach: NonNullable<NetworkDriver["attach"]> = async () => ({
  addresses: [],
  gateways: [],
  macAddress: "",
  nameservers: [],
  cleanup: [],
});
/** A driver that connects, right as far as the suite looks. */
const attaching = (): NetworkDriver => ({ namespace: "private", attach, detach: async () => {} });

/** For each case, by name, one thing done wrong. */
const mutants: Record<string, NetworkDriver> = {
  "its containers have a private namespace or share the host's": { namespace: "shared" as "host" },
  "who attaches detaches, and only in a private namespace": { namespace: "private", attach },
  "detaching what is gone, namespace included, counts as done": {
    ...attaching(),
    detach: () => Promise.reject(new Error("no such namespace")),
  },
};

test("every case has a mutant, and passes on a right driver", async () => {
  expect(Object.keys(mutants)).toEqual(networkSuite.cases.map(({ name }) => name));
  expect(new Set(Object.values(await outcomes(networkSuite, { create: attaching })))).toEqual(new Set(["passed"]));
});

test.for(Object.entries(mutants))("a driver gone wrong fails: %s", async ([name, wrong]) => {
  expect((await outcomes(networkSuite, { create: () => wrong }, name))[name]).toBe("failed");
});

test("what does not attach has nothing to detach", async () => {
  expect((await outcomes(networkSuite, { create: noneNetwork }))["detaching what is gone, namespace included, counts as done"]).toBe(
    "skipped: needs detach",
  );
});
