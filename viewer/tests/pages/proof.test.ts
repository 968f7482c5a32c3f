import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { launch, Visitor } from "./browser";

// What a person does to learn what was proven, against the program that HALLEY_URL names.

let browser: Browser;
let visitor: Visitor;
let page: Page;

beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());
beforeEach(async () => {
  visitor = await Visitor.open(browser, inject("origin"), { storageState: inject("storage") });
  page = visitor.page;
});
afterEach(() => visitor.leave());

describe("completeness", () => {
  const rows = () => page.getByRole("grid").locator("tbody tr");

  it("is a calendar of every device's days, and a day is opened by a click", async () => {
    await visitor.go("/completeness");
    await rows().first().waitFor();
    expect(await page.locator(".verdict .facts").innerText()).toMatch(/\d{4} to \d+ \w{3} \d{4}, days in UTC/);
    expect(await rows().first().locator("a.day").count()).toBe(31);
    const today = page.getByRole("grid").locator("td.today a.day:not(.none)").first();
    await today.click();
    await expect.poll(() => visitor.heading()).toMatch(/, \w{3} \d+ \w{3} \d{4}$/);
    await expect.poll(() => page.locator("#day-figures").innerText()).toMatch(/^Received [\d,]+ of [\d,]+/);
    await page.getByRole("link", { name: "Chart of this day" }).click();
    await visitor.charted();
    const shown = new URL(page.url()).searchParams;
    expect(Date.parse(shown.get("to") ?? "") - Date.parse(shown.get("from") ?? "")).toBe(86_400_000);
  });

  it("of the last 30 days is in the proof and on the first page", async () => {
    await visitor.go("/proof");
    await expect.poll(() => page.getByRole("region", { name: "Is anything missing?" }).innerText()).toMatch(/Received [\d,]+ of [\d,]+/);
  });
});

describe("the proof", () => {
  const changed = () => page.getByRole("region", { name: "Has anything been changed?" });

  it("is verified on request, and claims no more than was checked", async () => {
    await visitor.go("/proof");
    await changed().getByRole("button", { name: "Verify now" }).click();
    await expect.poll(() => changed().innerText(), { timeout: 30_000 }).toMatch(/No change found\s+all that is stored · checked against this machine only[^]*Verified\s+\d+ \w{3} \d{4} [^]*(just now|\d s ago)/);
    expect(await changed().locator(".good, .alarm, .fault").count()).toBe(0);
    expect(await page.getByRole("region", { name: "Could you restore it?" }).innerText()).toMatch(/roven/);
    await page.getByRole("group", { name: "Results by kind" }).getByRole("button", { name: "Verification" }).click();
    await expect.poll(() => page.locator("table.results tbody tr").first().innerText()).toMatch(/Verification\s+No change found in [\d,]+ samples?/);
  });
});

describe("the audit trail", () => {
  const trail = () => page.locator("table.trail tbody tr");

  it("tells who signed in, and is filtered", async () => {
    // A sign-in lies in the journal first, and is in the trail once it was recorded.
    const seen = async () => {
      await visitor.go("/audit");
      await trail().first().waitFor();
      return page.locator("table.trail").innerText();
    };
    await expect.poll(seen, { interval: 2_000, timeout: 30_000 }).toContain("Signed in");
    await page.getByRole("search").getByLabel("What was done").selectOption({ label: "Signed in" });
    await page.getByRole("search").getByRole("button", { name: "Show", exact: true }).click();
    await page.waitForURL("**/audit?what=session.begin");
    await expect.poll(async () => new Set(await trail().locator("td:nth-child(3)").allInnerTexts())).toEqual(new Set(["Signed in"]));
    expect(await trail().first().innerText()).toMatch(/^\d+ \w{3} \d{4} \d\d:\d\d:\d\d [+−]\d\d:\d\d\s/);
  });

  it("is saved as CSV", async () => {
    await visitor.go("/audit");
    const file = page.waitForEvent("download");
    await page.getByRole("button", { name: "Save as CSV" }).click();
    const stream = await (await file).createReadStream();
    let text = "";
    for await (const part of stream) text += String(part);
    expect(text.split(/\r?\n/)[0]).toMatch(/^id,at,who,kind,session,what,on/);
    expect(text).toContain("session.begin");
  });
});

it("a file of evidence is made of a place", async () => {
  await visitor.go("/");
  await page.locator("a.tile").filter({ has: page.locator(".trend path") }).first().click();
  await visitor.charted();
  const file = page.waitForEvent("download");
  await page.getByRole("button", { name: "Evidence…" }).click();
  await page.getByRole("dialog", { name: /^Evidence for / }).getByRole("button", { name: "Make the file" }).click();
  const stream = await (await file).createReadStream();
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part as Buffer);
  expect(Buffer.concat(parts).subarray(0, 4).toString("latin1")).toBe("PK\u0003\u0004");
  await expect.poll(() => page.locator(".said").innerText()).toMatch(/^The file has been saved, /);
});
