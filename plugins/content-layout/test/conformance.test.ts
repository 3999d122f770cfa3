import { contentSuite, runSuite, type TestApi } from "@ramekin/conformance";
import { nativeSupport } from "@ramekin/native";
import { describe, test } from "vitest";
import { flockLock } from "../src/index.ts";
import { freshStore, program, storeAt, type TestStore } from "./stores.ts";

/** Some cases start dozens of processes. */
const slow: TestApi = (name, body) => test(name, { timeout: 120_000 }, body);

describe("locks without native parts", () => {
  runSuite<TestStore>(slow, contentSuite, {
    create: () => freshStore(),
    reopen: ({ root }) => storeAt(root) as TestStore,
    program: ({ root }) => program(root, "owner"),
  });
});

const native = nativeSupport();
describe.skipIf(!native.ok)(native.ok ? "locks by flock" : `locks by flock: ${native.reason}`, () => {
  runSuite<TestStore>(slow, contentSuite, {
    create: () => freshStore(flockLock),
    reopen: ({ root }) => storeAt(root, flockLock) as TestStore,
    program: ({ root }) => program(root, "flock"),
  });
});
