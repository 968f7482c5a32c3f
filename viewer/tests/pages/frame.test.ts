import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { Fixture } from "../fixture/server";
import { launch, Visitor } from "./browser";

// The line above every page, and the list of the pages of administration in it, against the fixture.

let browser: Browser;
let fixture: Fixture;
let visitor: Visitor;
let page: Page;

beforeAll(async () => {
  browser = await launch();
  fixture = await Fixture.start();
});
afterAll(async () => {
  await browser.close();
  await fixture.stop();
});
afterEach(() => visitor.leave());

const open = async (at: string, options: Parameters<typeof Visitor.open>[2] = {}) => {
  visitor = await Visitor.open(browser, fixture.url, options);
  page = visitor.page;
  await visitor.go(at);
  await page.locator("header .org").waitFor();
};

describe("the frame", () => {
  const button = () => page.getByRole("button", { name: "Administration" });
  const ways = () => page.locator(".further-list a");
  const focus = () => page.evaluate(() => document.activeElement?.textContent ?? "");

  it("takes one line at 1280 pixels", async () => {
    await open("/");
    await page.locator(".simulated").waitFor();
    const { header, rows } = await page.evaluate(() => ({
      header: document.querySelector("header")!.getBoundingClientRect().height,
      rows: new Set([...document.querySelectorAll("header > *, header nav > *")].map((e) => Math.round((e.getBoundingClientRect().top + e.getBoundingClientRect().bottom) / 2))).size,
    }));
    expect(header).toBeLessThanOrEqual(60);
    expect(rows).toBeLessThanOrEqual(2);
    await visitor.fitsWidth();
  });

  it.each([
    ["on a desk", {}],
    ["on a phone", { viewport: { width: 320, height: 640 } }],
    ["in the dark", { colorScheme: "dark" as const }],
  ])("keeps the pages of administration behind one button, %s", async (name, options) => {
    await open("/", options);
    expect(await ways().count()).toBe(0);
    await button().focus();
    await page.keyboard.press("Enter");
    await expect.poll(() => ways().allInnerTexts()).toEqual(["People", "Roles", "Tokens", "Usage", "Organizations", "Audit trail", "Server"]);
    expect(await button().getAttribute("aria-expanded")).toBe("true");
    await visitor.accessible();
    await visitor.fitsWidth();
    await visitor.shot(`administration ${name}`);
    await page.keyboard.press("ArrowDown");
    expect(await focus()).toBe("People");
    await page.keyboard.press("ArrowDown");
    expect(await focus()).toBe("Roles");
    await page.keyboard.press("Escape");
    await expect.poll(() => ways().count()).toBe(0);
    expect(await focus()).toContain("Administration");
    await page.keyboard.press("ArrowDown");
    await expect.poll(() => ways().count()).toBe(7);
    for (let n = 0; n < 7; n++) await page.keyboard.press("Tab");
    expect(await focus()).toBe("Server");
    await page.keyboard.press("Enter");
    await page.waitForURL("**/server");
    await expect.poll(() => ways().count()).toBe(0);
  });

  it("closes the list when the focus or a click goes elsewhere", async () => {
    await open("/");
    await button().click();
    await expect.poll(() => ways().count()).toBe(7);
    await page.locator("main h1").click();
    await expect.poll(() => ways().count()).toBe(0);
    await button().click();
    await expect.poll(() => ways().count()).toBe(7);
    for (let n = 0; n < 8; n++) await page.keyboard.press("Tab");
    await expect.poll(() => ways().count()).toBe(0);
  });
});
