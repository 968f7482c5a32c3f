import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { routes, type RouteName } from "../../src/routes";
import { Fixture } from "../fixture/server";
import { launch, Visitor } from "./browser";
import { settled, walk, walkable, well } from "./walk";

// Every page inside the frame, and every dialog that opens from it, walked from beginning to end by the Tab key alone, against
// the fixture. The pages before the frame are in entry.test.ts.

let browser: Browser;
let fixture: Fixture;
let visitor: Visitor;
let page: Page;

beforeAll(async () => {
  browser = await launch();
  fixture = await Fixture.start();
  visitor = await Visitor.open(browser, fixture.url);
  page = visitor.page;
  await walkable(page);
});
afterAll(async () => {
  await visitor.leave();
  await browser.close();
  await fixture.stop();
});

/** A day of which the fixture knows the completeness. */
const day = new Date(Date.now() - 2 * 86_400_000).toISOString().slice(0, 10);
/** Of people the second: nobody has much to decide about themselves. */
const addressOf = (name: RouteName, route: string) => route.replace(":id", name === "person" ? "2" : "1").replace(":day", day);

/** What opens a dialog without saying so by three dots. */
const further: Partial<Record<RouteName, RegExp[]>> = { overview: [/choose an organization$/] };
/** How many dialogs there are to be walked at least. */
const least: Partial<Record<RouteName, number>> = { overview: 1, places: 1, place: 7, organizations: 3, newDevices: 2, device: 4, proof: 1, audit: 1, people: 1, person: 6, roles: 3, tokens: 2, account: 1 };
/** What says that more will be asked, and asks it in the page itself or does it at once. */
const inPlace = new Set(["Show as…", "Add an authenticator app…"]);

/** What opens dialogs: the buttons that say by three dots that more will be asked, one of each word, and the further ones. */
async function openers(name: RouteName): Promise<Locator[]> {
  const buttons = page.locator("header button, main button");
  const found = await buttons.evaluateAll((all) => all.filter((e) => !e.matches(":disabled") && e.checkVisibility()).map((e) => e.textContent.trim()));
  const words = [...new Set(found)].filter((word) => word.endsWith("…") && !inPlace.has(word));
  return [...words.map((word) => buttons.filter({ hasText: new RegExp(`^\\s*${word}\\s*$`) }).first()), ...(further[name] ?? []).map((called) => page.getByRole("button", { name: called }))];
}

/** Opens a dialog by its button, walks through it, and leaves it by Escape. */
async function dialog(button: Locator): Promise<void> {
  await button.focus();
  await page.keyboard.press("Enter");
  await page.locator("dialog:modal").waitFor();
  await settled(page);
  const title = await page.locator("dialog:modal h2").first().innerText();
  expect(await page.evaluate(() => document.activeElement?.closest("dialog:modal") ?? null), `${title}: the focus is in it`).not.toBeNull();
  expect({ title, ...(await walk(page)) }).toMatchObject({ title, ...well });
  await visitor.accessible("dialog:modal");
  await page.keyboard.press("Escape");
  // Closed, it is taken out of the page a moment later.
  await page.locator("dialog").waitFor({ state: "detached" });
  await expect.poll(() => button.evaluate((e) => e === document.activeElement), { message: `${title}: the focus is back on what opened it` }).toBe(true);
}

describe("by keyboard alone", () => {
  it.each(Object.entries(routes) as [RouteName, string][])("the whole page %s (%s) is reached with its dialogs, and breaks no rule of accessibility", async (name, route) => {
    await visitor.go(addressOf(name, route));
    await page.locator("header .org").waitFor();
    await settled(page);
    // What can be unfolded is walked unfolded.
    await page.evaluate(() => document.querySelectorAll("details").forEach((e) => (e.open = true)));
    const found = await walk(page);
    expect(found).toMatchObject(well);
    expect(found.reached).toBeGreaterThan(8);
    await visitor.accessible();
    const all = await openers(name);
    expect(all.length).toBeGreaterThanOrEqual(least[name] ?? 0);
    for (const opener of all) await dialog(opener);
  }, 240_000);

  it("so are the dialogs that only some states have: gaps to explain, what was kept of a device, one that is at no place", async () => {
    const [gap] = fixture.fleet.gap();
    await visitor.go(`/completeness/3/${new Date(gap).toISOString().slice(0, 10)}`);
    await dialog(page.getByRole("button", { name: /^Say why/ }).first());
    const device = fixture.fleet.devices.find((d) => d.state === "new")!;
    const kept = device.quarantine;
    const accepted = await visitor.context.request.post(`/api/v1/devices/${device.id}/accept`, { data: { name: "On a shelf", place_id: 0 } });
    expect(accepted.status(), await accepted.text()).toBe(200);
    device.quarantine = kept;
    await visitor.go(`/devices/${device.id}/quarantine`);
    await dialog(page.getByRole("button", { name: "Record these…" }));
    await visitor.go(`/devices/${device.id}`);
    await dialog(page.getByRole("button", { name: "Move to another organization…" }));
  }, 240_000);
});
