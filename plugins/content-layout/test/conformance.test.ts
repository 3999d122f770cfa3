import { contentSuite, runSuite, type TestApi } from "@ramekin/conformance";
import { nativeSupport, tryLock } from "@ramekin/native";
import { describe, test } from "vitest";
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
    create: () => freshStore(tryLock),
    reopen: ({ root }) => storeAt(root, tryLock) as TestStore,
    program: ({ root }) => program(root, "flock"),
  });
});
