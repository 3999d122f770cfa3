import { runSuite, transportSuite } from "@ramekin/conformance";
import { describe, test } from "vitest";
import { freshDocker, freshDual } from "./transports.ts";

describe("docker-archive", () => runSuite(test, transportSuite, { create: freshDocker }));
describe("dual-archive", () => runSuite(test, transportSuite, { create: freshDual }));
