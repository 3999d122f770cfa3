import { runSuite, storageSuite } from "@ramekin/conformance";
import { test, vi } from "vitest";
import { bed, skip } from "./bed.ts";

// Some cases start a score of processes.
vi.setConfig({ testTimeout: 120_000 });
runSuite(test, storageSuite, { ...bed.options, skip });
