import { defineConfig } from "vitest/config";

/** Tests run on the sources: no build stands between an edit and its test. The e2e suites run the built command. */
const conditions = ["ramekin-source", "node", "import", "default"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    include: ["packages/*/test/**/*.test.ts", "plugins/*/test/**/*.test.ts", "scripts/test/**/*.test.ts"],
    // Vitest leaves one processor out, which is half of a small machine; most of these tests wait for processes of theirs.
    maxWorkers: "100%",
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
