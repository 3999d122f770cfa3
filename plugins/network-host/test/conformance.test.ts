import { networkSuite, runSuite } from "@ramekin/conformance";
import { test } from "vitest";
import { hostNetwork } from "../src/index.ts";

runSuite(test, networkSuite, { create: hostNetwork });
