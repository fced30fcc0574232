import { defineConfig } from "vitest/config";

/** Tests against other programs that are not part of the package: `MIDCOURSE_PYTHON=python3 npx vitest run --config vitest.peers.config.ts`. */
export default defineConfig({
  test: {
    include: ["test/peers/**/*.test.ts"],
    testTimeout: 300_000,
    hookTimeout: 300_000,
    pool: "forks",
    maxWorkers: 1,
  },
});
