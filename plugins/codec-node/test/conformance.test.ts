import { digesterSuite, gzipSuite, runSuite, zstdSuite } from "@ramekin/conformance";
import { test } from "vitest";
import { nodeDigester, nodeGzip, nodeZstd } from "../src/index.ts";

runSuite(test, gzipSuite, { create: () => nodeGzip });
runSuite(test, zstdSuite, { create: () => nodeZstd });
for (const algorithm of ["sha256", "sha512"] as const) {
  runSuite((name, body) => test(`${algorithm} ${name}`, body), digesterSuite, { create: () => nodeDigester(algorithm) });
}
