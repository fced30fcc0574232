import { defineConfig } from "vitest/config";

export default defineConfig({
  // Tests say `using`, which the oldest Node we promise does not know; sources never do.
  oxc: { target: "node22" },
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    exclude: ["test/peers/**", "node_modules/**"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: "forks",
    // Two cores is the smallest machine we promise; the engine itself uses two threads.
    maxWorkers: 2,
  },
});
