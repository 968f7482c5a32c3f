import { defineConfig } from "vitest/config";

// The pages are tried in a real browser, two files at a time. What people do is tried on the program that HALLEY_URL names. Without
// it, the fixture shows what a program cannot be brought into on demand: each of those files has a fixture and a browser of its own.
const ofTheProgram = ["pages", "proof", "real", "contract"].map((name) => `tests/pages/${name}.test.ts`);

export default defineConfig({
  test: process.env["HALLEY_URL"]
    ? { ...common(), include: ofTheProgram, globalSetup: ["tests/pages/setup.ts"] }
    : { ...common(), include: ["tests/pages/**/*.test.ts"], exclude: ofTheProgram },
});

function common() {
  return { maxWorkers: 2, testTimeout: 120_000, hookTimeout: 120_000, expect: { poll: { timeout: 30_000 } } };
}
