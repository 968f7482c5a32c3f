import { defineConfig } from "vitest/config";

// The pages are tried in a real browser, one file after the other: the machine's cores belong to the browser.
export default defineConfig({
  test: {
    include: ["tests/pages/**/*.test.ts"],
    globalSetup: ["tests/pages/setup.ts"],
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 15_000 } },
  },
});
