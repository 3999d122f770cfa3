import { runSuite, storageSuite } from "@ramekin/conformance";
import { test } from "vitest";
import { bed } from "./bed.ts";

runSuite(test, storageSuite, bed);
