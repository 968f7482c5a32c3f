import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll } from "vitest";
import { Fixture, type FixtureOptions } from "../fixture/server";
import { launch, Visitor } from "./browser";

// What most page tests stand on: a browser for all tests of a file, and for each of them a fixture, a window on it and its page.

let browser: Browser;
export let fixture: Fixture;
export let visitor: Visitor;
export let page: Page;

/** Sets the stage for the tests of a file, each of which begins with enter or arrive. Each visit must have been clean. */
export function stage(): void {
  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(() => browser.close());
  afterEach(async () => {
    await visitor.leave();
    await fixture.stop();
  });
}

/** Starts a fixture and opens a window on it, in which the administrator is signed in. */
export async function enter(options: FixtureOptions = {}, window: BrowserContextOptions = {}): Promise<void> {
  fixture = await Fixture.start(options);
  await look(fixture.url, window);
}

/** Starts a fixture and opens a window on it, in which nobody is signed in yet. */
export async function arrive(options: FixtureOptions = {}, window: BrowserContextOptions = {}): Promise<void> {
  fixture = await Fixture.start({ accounts: "closed", ...options });
  // Passkeys want a name, not an address.
  await look(fixture.url.replace("127.0.0.1", "localhost"), window);
}

async function look(origin: string, window: BrowserContextOptions): Promise<void> {
  visitor = await Visitor.open(browser, origin, window);
  page = visitor.page;
}
