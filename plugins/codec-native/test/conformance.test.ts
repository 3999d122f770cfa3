import { digesterSuite, gzipSuite, runSuite, zstdSuite } from "@ramekin/conformance";
import { nativeSupport } from "@ramekin/native";
import { describe, test } from "vitest";
import { nativeDigester, nativeGzip, nativeZstd } from "../src/index.ts";

const native = nativeSupport();
describe.skipIf(!native.ok)(native.ok ? "the addon" : `the addon: ${native.reason}`, () => {
  runSuite(test, gzipSuite, { create: () => nativeGzip });
  runSuite(test, zstdSuite, { create: () => nativeZstd });
  for (const algorithm of ["sha256", "sha512"] as const) {
    runSuite((name, body) => test(`${algorithm} ${name}`, body), digesterSuite, { create: () => nativeDigester(algorithm) });
  }
});
