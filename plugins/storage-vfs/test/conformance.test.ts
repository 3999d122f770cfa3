import { runSuite, storageSuite } from "@ramekin/conformance";
import { test } from "vitest";
import { bed, skip } from "./bed.ts";

runSuite(test, storageSuite, { ...bed.options, skip });
