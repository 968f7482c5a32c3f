import { defineConfig } from "vitest/config";

// The pages are tried in a real browser: against the fixture two files at a time, for each has a server and a browser of its own,
// against a program that runs one after the other, for they share it.
export default defineConfig({
  test: {
    include: ["tests/pages/**/*.test.ts"],
    globalSetup: ["tests/pages/setup.ts"],
    fileParallelism: !process.env["HALLEY_URL"],
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 15_000 } },
  },
});
