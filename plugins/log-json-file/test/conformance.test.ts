import { logSuite, runSuite } from "@ramekin/conformance";
import { test } from "vitest";
import { freshLog } from "./fresh.ts";

runSuite(test, logSuite, { create: freshLog });
