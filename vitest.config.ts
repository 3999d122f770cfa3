import { defineConfig } from "vitest/config";

const shared = {
  // A temporary folder of their own, so that what they leave can be told from what others do meanwhile.
  globalSetup: ["test/support/global-setup.ts"],
  // Machines are slow and busy: a limit ends what hangs, and says nothing of speed.
  testTimeout: 120_000,
  hookTimeout: 180_000,
};

/** Tests run on the sources: no build stands between an edit and its test. The e2e suites run the built command. */
const conditions = ["ramekin-source", "node", "import", "default"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    projects: [
      {
        extends: true,
        test: {
          ...shared,
          name: "unit and conformance",
          include: ["{packages,plugins,examples}/*/test/**/*.test.ts", "scripts/test/**/*.test.ts"],
          // By default half the processors: of two, one would be idle (measured: 360 s instead of 570).
          maxWorkers: "100%",
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        // Counts what all others have left.
        test: { ...shared, name: "afterwards", include: ["test/leaks/leaks.test.ts"], sequence: { groupOrder: 1 } },
      },
    ],
  },
});
