import type { TestProject } from "vitest/node";
import { Fixture } from "../fixture/server";
import { launch, Visitor, type Storage } from "./browser";

// The pages are tried against the server that HALLEY_URL names, or else against the fixture. A real server has no accounts yet:
// the administrator is made with HALLEY_SECRET, and that one session serves all tests. The fixture's visitor is signed in already.

const administrator = { name: "first.administrator", password: "Comet-1P-Halley" };

declare module "vitest" {
  export interface ProvidedContext {
    origin: string;
    storage: Storage;
    real: boolean;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const url = process.env["HALLEY_URL"];
  const fixture = url ? null : await Fixture.start();
  const origin = new URL(url ?? fixture?.url ?? "").origin;
  const browser = await launch();
  const visitor = await Visitor.open(browser, origin);
  if (url) {
    const made = await visitor.context.request.post("/api/v1/first-account", { data: { secret: process.env["HALLEY_SECRET"] ?? "", ...administrator } });
    // A server that was tried before has the administrator already.
    const back = made.status() === 409 ? await visitor.context.request.post("/api/v1/session", { data: administrator }) : made;
    if (back.status() !== 204) throw new Error(`the administrator was not made: ${back.status()} ${await back.text()}`);
    // Times are shown by the zone of the organization; the fixture's is that of the tests.
    const zoned = await visitor.context.request.patch("/api/v1/organizations/1", { data: { time_zone: "Europe/Prague", why: "The tests are at home there." } });
    if (!zoned.ok()) throw new Error(`the time zone was not set: ${zoned.status()} ${await zoned.text()}`);
  }
  await visitor.page.goto("/");
  await visitor.page.locator("header nav").first().waitFor();
  project.provide("storage", await visitor.context.storageState());
  project.provide("origin", origin);
  project.provide("real", url !== undefined);
  await visitor.context.close();
  await browser.close();
  return async () => fixture?.stop();
}
