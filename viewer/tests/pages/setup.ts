import type { TestProject } from "vitest/node";
import { Fixture } from "../fixture/server";
import { launch, Visitor, type Storage } from "./browser";

// The pages are tried against the server that HALLEY_URL names, signing in with HALLEY_SECRET, or else against the
// fixture. The secret works once, so the session it opens serves all tests.

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
  const secret = url ? (process.env["HALLEY_SECRET"] ?? "") : Fixture.secret;
  const browser = await launch();
  const visitor = await Visitor.open(browser, origin);
  await visitor.page.goto(`/#first=${secret}`);
  await visitor.page.locator("header nav").waitFor();
  if (visitor.page.url().includes("first=")) throw new Error("the secret stayed in the address bar");
  project.provide("storage", await visitor.context.storageState());
  project.provide("origin", origin);
  project.provide("real", url !== undefined);
  await visitor.context.close();
  await browser.close();
  return async () => fixture?.stop();
}
