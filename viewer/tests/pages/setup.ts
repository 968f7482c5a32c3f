import { request } from "playwright-core";
import type { TestProject } from "vitest/node";
import type { Storage } from "./browser";

// The program that HALLEY_URL names has no accounts yet: the administrator is made with HALLEY_SECRET, and that one session serves
// all tests but those of the first hour, which have a program of their own.

export const administrator = { name: "first.administrator", password: "Comet-1P-Halley" };

declare module "vitest" {
  export interface ProvidedContext {
    origin: string;
    storage: Storage;
  }
}

export default async function setup(project: TestProject): Promise<void> {
  const origin = new URL(process.env["HALLEY_URL"] ?? "").origin;
  const asked = await request.newContext({ baseURL: origin, ignoreHTTPSErrors: true });
  const made = await asked.post("/api/v1/first-account", { data: { secret: process.env["HALLEY_SECRET"] ?? "", ...administrator } });
  // A server that was tried before has the administrator already.
  const back = made.status() === 409 ? await asked.post("/api/v1/session", { data: administrator }) : made;
  if (back.status() !== 204) throw new Error(`the administrator was not made: ${back.status()} ${await back.text()}`);
  // Times are shown by the zone of the organization; the tests are at home in Prague.
  const zoned = await asked.patch("/api/v1/organizations/1", { data: { time_zone: "Europe/Prague", why: "The tests are at home there." } });
  if (!zoned.ok()) throw new Error(`the time zone was not set: ${zoned.status()} ${await zoned.text()}`);
  project.provide("storage", await asked.storageState());
  project.provide("origin", origin);
  await asked.dispose();
}
