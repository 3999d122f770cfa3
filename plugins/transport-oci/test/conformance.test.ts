import { runSuite, transportSuite } from "@ramekin/conformance";
import { describe, test } from "vitest";
import { freshArchive, freshFolder } from "./transports.ts";

describe("oci", () => runSuite(test, transportSuite, { create: freshFolder }));
describe("oci-archive", () => runSuite(test, transportSuite, { create: freshArchive }));
