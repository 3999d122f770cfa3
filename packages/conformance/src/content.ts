import type { ContentStore } from "@ramekin/core";
import { ingesting } from "./content/ingesting.ts";
import { reading } from "./content/reading.ts";
import { writing } from "./content/writing.ts";
import type { Suite } from "./suite.ts";

export { serveContent } from "./content/process.ts";

/** What it means to be a content store; "killed at any moment" needs a store that other processes can open. */
export const contentSuite: Suite<ContentStore> = { kind: "content", cases: [...writing, ...ingesting, ...reading] };
