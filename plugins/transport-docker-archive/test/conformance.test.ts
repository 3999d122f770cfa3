import { runSuite, transportSuite } from "@ramekin/conformance";
import { test } from "vitest";
import { freshDocker } from "./transports.ts";

runSuite(test, transportSuite, { create: freshDocker });
