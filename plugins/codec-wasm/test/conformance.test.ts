import { digesterSuite, gzipSuite, runSuite } from "@ramekin/conformance";
import { expect, test } from "vitest";
import { probeInflate, wasmDigester, wasmGzip } from "../src/index.ts";

runSuite(test, gzipSuite, { create: () => wasmGzip });
for (const algorithm of ["sha256", "sha512"] as const) {
  runSuite((name, body) => test(`${algorithm} ${name}`, body), digesterSuite, { create: () => wasmDigester(algorithm) });
}

test("the fflate here is the one whose end of stream we can find", () => {
  expect(probeInflate()).toMatchObject({ ok: true });
});
