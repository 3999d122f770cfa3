import { changes } from "./layer/changes.ts";
import { content } from "./layer/content.ts";
import { diffing } from "./layer/diff.ts";
import type { LayersUnderTest } from "./layer/fixture.ts";
import { hostile } from "./layer/hostile.ts";
import type { Suite } from "./suite.ts";

export type { LayersUnderTest, Scratch } from "./layer/fixture.ts";

/** What it means to apply layers, and to make them; a driver without `diff` is an applier alone. */
export const layerSuite: Suite<LayersUnderTest> = { kind: "layer", cases: [...content, ...changes, ...hostile, ...diffing] };
