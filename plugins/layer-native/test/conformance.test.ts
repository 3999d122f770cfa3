import { layerSuite, runSuite } from "@ramekin/conformance";
import { describe, test } from "vitest";
import { cannotApply, nativeLayers } from "./layers.ts";

const reason = cannotApply();
describe.skipIf(reason !== undefined)(reason === undefined ? "ramekin-rootfs" : `ramekin-rootfs: ${reason}`, () => {
  runSuite(test, layerSuite, { create: nativeLayers });
});
