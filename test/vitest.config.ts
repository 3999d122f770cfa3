import { join } from "node:path";
import { defineConfig } from "vitest/config";
import Sequence from "./support/sequence.ts";

const conditions = ["ramekin-source", "node", "import", "default"];
/** They count what all others have left, or what a machine at rest holds. */
const last = ["leaks/**/*.test.ts"];

const shared = {
  globalSetup: [join(import.meta.dirname, "support/global-setup.ts")],
  dir: import.meta.dirname,
  testTimeout: 180_000,
  hookTimeout: 600_000,
};

/** The command, on the real kernel: two files at once, since most of what they do is to wait for processes. */
export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    sequence: { sequencer: Sequence },
    projects: [
      {
        extends: true,
        test: {
          ...shared,
          name: "side by side",
          include: ["e2e/**/*.test.ts", "interop/**/*.test.ts", "security/**/*.test.ts"],
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: { ...shared, name: "afterwards", include: last, fileParallelism: false, sequence: { groupOrder: 1 } },
      },
    ],
  },
});
