import { logSuite, runSuite } from "@ramekin/conformance";
import { describe, test } from "vitest";
import { jsonFileLog, localLog, unreadLog } from "../src/index.ts";
import { freshLog } from "./fresh.ts";

describe("json-file", () => runSuite(test, logSuite, { create: () => freshLog(jsonFileLog) }));
describe("local", () => runSuite(test, logSuite, { create: () => freshLog(localLog) }));
describe("none", () => runSuite(test, logSuite, { create: () => unreadLog("none") }));
