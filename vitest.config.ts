import { defineConfig } from "vitest/config";

/** Suites that start emulators or whole clouds run one after the other: two cores are all there may be. */
export default defineConfig({
  test: {
    projects: [
      { test: { name: "unit", include: ["test/unit/**/*.test.ts"] } },
      { test: { name: "property", include: ["test/property/**/*.test.ts"] } },
      { test: { name: "cdk", include: ["test/cdk/**/*.test.ts"], testTimeout: 120_000, hookTimeout: 120_000 } },
      {
        test: {
          name: "contract",
          include: ["test/contract/**/*.test.ts"],
          globalSetup: ["test/contract/emulators.setup.ts"],
          testTimeout: 30_000,
          hookTimeout: 180_000,
        },
      },
      { test: { name: "e2e", include: ["test/e2e/**/*.test.ts"], testTimeout: 90_000, hookTimeout: 240_000, fileParallelism: false } },
    ],
  },
});
