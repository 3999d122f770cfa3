import { defineConfig } from "vitest/config";

const conditions = ["ramekin-source", "node", "import", "default"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: { include: ["test/vm/**/*.test.ts"], testTimeout: 60_000, hookTimeout: 900_000, fileParallelism: false },
});
