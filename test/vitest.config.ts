import { join } from "node:path";
import { defineConfig } from "vitest/config";
import Sequence from "./support/sequence.ts";

const conditions = ["ramekin-source", "node", "import", "default"];

/**
 * The command, on the real kernel. One file after the other: they measure time and count what is left, and a machine of two
 * cores has enough to do with the processes of one.
 */
export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    dir: import.meta.dirname,
    include: ["e2e/**/*.test.ts", "interop/**/*.test.ts", "security/**/*.test.ts", "leaks/**/*.test.ts"],
    globalSetup: [join(import.meta.dirname, "support/global-setup.ts")],
    sequence: { sequencer: Sequence },
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 600_000,
  },
});
