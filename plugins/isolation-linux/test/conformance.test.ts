import { isolationSuite, runSuite } from "@ramekin/conformance";
import { test } from "vitest";
import { fixture, unable } from "./fixture.ts";

const reason = unable();
if (reason === undefined) runSuite(test, isolationSuite, { create: fixture });
else test(`isolation: the suite [${reason}]`, ({ skip }) => skip(reason));
