import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { routes } from "../../src/routes";
import { Fixture } from "../fixture/server";
import { launch, Visitor } from "./browser";

// Every page, walked from its beginning to its end by the Tab key alone, against the fixture.

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

/** A day of which the fixture knows the completeness. */
const day = new Date(Date.now() - 2 * 86_400_000).toISOString().slice(0, 10);
const addressOf = (route: string) => route.replace(":id", "1").replace(":day", day);

/** What was asked for at first has been answered, and the page stands still. */
async function settled(of: Page): Promise<void> {
  const now = () => of.evaluate(() => `${performance.getEntriesByType("resource").length} ${document.querySelectorAll("a, button, input, select, summary, [tabindex]").length}`);
  let before = "";
  await expect
    .poll(async () => {
      const is = await now();
      const same = is === before;
      before = is;
      return same;
    }, { interval: 700, timeout: 15_000 })
    .toBe(true);
}

interface Walk {
  /** What should be reached and was not. */
  missed: string[];
  /** What was reached but could not be seen. */
  unseen: string[];
  /** What looks as if it could be worked and cannot be reached by keys at all. */
  dead: string[];
  /** Whether the walk came back to its beginning. */
  ended: boolean;
  steps: number;
}

/** Walks through the page by the Tab key until it is back at the beginning. */
async function walk(of: Page): Promise<Walk> {
  await of.evaluate(() => {
    const words = (e: Element) => `${e.tagName.toLowerCase()}${e.id ? `#${e.id}` : ""} "${(e.getAttribute("aria-label") ?? e.textContent ?? "").trim().slice(0, 40)}"`;
    const shown = (e: Element) => e.checkVisibility({ visibilityProperty: true }) && e.getClientRects().length > 0;
    const able = (e: HTMLElement) => !e.matches(":disabled, [inert] *") && shown(e);
    /** Of radio buttons of one name one is reached by Tab, the others from it by arrows. */
    const keyOf = (e: Element): unknown => (e instanceof HTMLInputElement && e.type === "radio" && e.name ? `radio ${e.name}` : e);
    const all = [...document.querySelectorAll<HTMLElement>("a[href], button, input, select, textarea, summary, [tabindex]")].filter(able);
    const composite = "[role=tree], [role=grid], [role=listbox], [role=toolbar], [role=tablist], [role=radiogroup]";
    const wanted = new Map(all.filter((e) => e.tabIndex >= 0).map((e) => [keyOf(e), words(e)]));
    const dead = all.filter((e) => e.tabIndex < 0 && !e.hasAttribute("tabindex") && !e.closest(composite)).map(words);
    const reached = new Set<unknown>();
    const unseen: string[] = [];
    let first: Element | null = null,
      last: Element | null = null;
    const step = () => {
      const now = document.activeElement;
      if (!now || now === document.body) return reached.size > 0 ? "end" : "go";
      if (now === first && last !== first) return "end";
      first ??= now;
      if (now !== last) {
        const box = now.getBoundingClientRect();
        if (box.width === 0 || box.height === 0 || box.bottom <= 0 || box.top >= innerHeight) unseen.push(words(now));
      }
      last = now;
      reached.add(keyOf(now));
      return "go";
    };
    const report = () => ({ missed: [...wanted].filter(([key]) => !reached.has(key) && (!(key instanceof Element) || key.isConnected)).map(([, w]) => w), unseen, dead });
    Object.assign(globalThis, { walking: { step, report, bound: wanted.size + 12 * document.querySelectorAll("input[type^=date]").length + 30 } });
    (document.activeElement as HTMLElement | null)?.blur();
    // The walk begins where the page begins.
    getSelection()?.removeAllRanges();
  });
  type Walking = { walking: { step: () => string; report: () => Omit<Walk, "ended" | "steps">; bound: number } };
  const bound = await of.evaluate(() => (globalThis as unknown as Walking).walking.bound);
  let ended = false,
    steps = 0;
  while (!ended && steps < bound) {
    await of.keyboard.press("Tab");
    steps++;
    ended = (await of.evaluate(() => (globalThis as unknown as Walking).walking.step())) === "end";
  }
  return { ...(await of.evaluate(() => (globalThis as unknown as Walking).walking.report())), ended, steps };
}

describe("by keyboard alone", () => {
  it.each(Object.entries(routes))("the whole page %s (%s) is reached, and breaks no rule of accessibility", async (_, route) => {
    await open(addressOf(route));
    await settled(page);
    const found = await walk(page);
    expect(found).toMatchObject({ missed: [], unseen: [], dead: [], ended: true });
    expect(found.steps).toBeGreaterThan(8);
    await visitor.accessible();
  });
});

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
