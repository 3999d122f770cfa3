import { networkSuite, runSuite } from "@ramekin/conformance";
import { test } from "vitest";
import { noneNetwork } from "../src/index.ts";

runSuite(test, networkSuite, { create: noneNetwork });
