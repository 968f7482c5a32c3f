import type { BrowserContextOptions, Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import type { FixtureOptions } from "../fixture/server";
import { enter, fixture, page, stage, visitor } from "./stage";

// Organizations, places and swaps, against the fixture.

stage();

async function open(path = "/", options: FixtureOptions = {}, window: BrowserContextOptions = {}): Promise<void> {
  await enter(options, window);
  await visitor.go(path);
  await page.locator("header .org").waitFor();
}

const picker = () => page.getByRole("dialog", { name: "Choose an organization" });
const button = () => page.locator("header .org");
const tree = () => page.getByRole("tree", { name: "Organizations" });
const rows = () => tree().getByRole("treeitem");
const tiles = () => page.locator("a.tile");
const openPicker = async () => {
  await button().click();
  await tree().waitFor();
};
const nodesOf = (of: Page) => of.evaluate(() => document.getElementsByTagName("*").length);

describe("the picker", () => {
  it("names what is chosen, and narrows the overview to it", async () => {
    await open();
    expect(await button().innerText()).toContain("All organizations");
    await expect.poll(() => tiles().count()).toBe(24);
    await openPicker();
    await rows().filter({ hasText: "Acme" }).first().click();
    await picker().waitFor({ state: "detached" });
    expect(await button().innerText()).toMatch(/^Acme\s+and below/);
    expect(new URL(page.url()).search).toBe("?org=2");
    await expect.poll(() => tiles().count()).toBe(22);
    await openPicker();
    await page.getByRole("searchbox", { name: "Find an organization" }).fill("cold");
    await expect.poll(() => rows().allInnerTexts()).toHaveLength(4);
    await visitor.accessible();
    await visitor.shot("picker-found");
    await page.keyboard.press("Enter");
    await picker().waitFor({ state: "detached" });
    expect(await button().innerText()).toMatch(/^Cold storage/);
    await expect.poll(() => tiles().count()).toBe(10);
  });

  it("takes in what is below only where it is wanted", async () => {
    await open("/?org=3");
    await expect.poll(() => tiles().count()).toBe(18);
    await openPicker();
    await picker().getByRole("checkbox", { name: "Include sub-organizations" }).uncheck();
    await expect.poll(() => tiles().count()).toBe(8);
    expect(new URL(page.url()).search).toBe("?org=3&sub=0");
    await picker().getByRole("button", { name: "Select highest organization" }).click();
    await picker().waitFor({ state: "detached" });
    await expect.poll(() => tiles().count()).toBe(24);
    expect(new URL(page.url()).search).toBe("");
  });

  it("keeps the choice in this browser, and leads from a link to what it was sent for", async () => {
    await open("/?org=6");
    await expect.poll(() => tiles().count()).toBe(2);
    await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Places" }).click();
    await page.waitForURL("**/places?org=6");
    await expect.poll(() => visitor.heading()).toBe("2 places");
    await openPicker();
    await rows().filter({ hasText: "Acme" }).first().click();
    await page.waitForURL("**/places?org=2");
    await visitor.go("/devices");
    await page.waitForURL("**/devices?org=2");
    expect(await button().innerText()).toContain("Acme");
  });

  it("falls back to the highest where what was chosen cannot be seen", async () => {
    await open("/?org=999");
    await expect.poll(() => tiles().count()).toBe(24);
    await expect.poll(() => new URL(page.url()).search).toBe("");
  });

  it("is worked by keys alone", async () => {
    await open();
    await button().focus();
    await page.keyboard.press("Enter");
    await tree().waitFor();
    expect(await page.evaluate(() => document.activeElement?.getAttribute("type"))).toBe("search");
    await visitor.accessible();
    await visitor.shot("picker");
    const active = () => tree().evaluate((t) => document.getElementById(t.getAttribute("aria-activedescendant") ?? "")?.textContent?.replace(/\d+$/, ""));
    const steps: [string, string][] = [
      ["ArrowDown", "All organizations"],
      ["ArrowRight", "Acme"],
      ["ArrowRight", "Acme"],
      ["ArrowRight", "Brno"],
      ["ArrowDown", "Praha"],
      ["ArrowLeft", "Acme"],
      ["ArrowLeft", "Acme"],
      ["ArrowDown", "Beta"],
      ["Home", "All organizations"],
      ["End", "Beta"],
      ["a", "All organizations"],
      ["ArrowDown", "Acme"],
    ];
    for (const [key, want] of steps) {
      await page.keyboard.press(key);
      await expect.poll(active, { message: key }).toBe(want);
    }
    expect(await rows().nth(1).getAttribute("aria-expanded")).toBe("false");
    expect(await rows().nth(1).getAttribute("aria-level")).toBe("2");
    await page.keyboard.press("Home");
    await page.keyboard.press("ArrowUp");
    expect(await page.evaluate(() => document.activeElement?.getAttribute("type"))).toBe("search");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("End");
    await page.keyboard.press("Enter");
    await picker().waitFor({ state: "detached" });
    expect(await button().innerText()).toContain("Beta");
    expect(await button().evaluate((b) => b === document.activeElement)).toBe(true);
    await page.keyboard.press("Enter");
    await tree().waitFor();
    await page.keyboard.press("Escape");
    await picker().waitFor({ state: "detached" });
  });

  it("shows a person of one branch that branch as the highest", async () => {
    await open("/", { top: 3 });
    await expect.poll(() => button().innerText()).toMatch(/^Brno/);
    await openPicker();
    expect(await rows().first().getAttribute("aria-level")).toBe("1");
    expect(await picker().innerText()).not.toContain("Acme");
  });
});

it("a thousand organizations and ten thousand places stay quick, and the page stays small", async () => {
  await open("/", { size: 10_000, tree: "large" });
  // The fixture makes its answers up as they are asked for, on the machine that runs the browser.
  page.setDefaultTimeout(60_000);
  const timed = async (what: string, act: () => Promise<unknown>, most: number) => {
    const begun = performance.now();
    await act();
    const ms = performance.now() - begun;
    const nodes = await nodesOf(page);
    const longest = await page.evaluate(() => {
      const seen = (window as unknown as { tasks?: number[] }).tasks ?? [];
      const worst = Math.max(0, ...seen);
      seen.length = 0;
      return worst;
    });
    process.stdout.write(`  ${what}: ${ms.toFixed(0)} ms, longest task ${longest.toFixed(0)} ms, ${nodes} elements\n`);
    expect(nodes, what).toBeLessThan(most);
    return nodes;
  };
  await tiles().first().waitFor();
  await page.evaluate(() => {
    const tasks: number[] = [];
    (window as unknown as { tasks: number[] }).tasks = tasks;
    new PerformanceObserver((list) => list.getEntries().forEach((e) => tasks.push(e.duration))).observe({ type: "longtask" });
  });
  const before = await nodesOf(page);
  expect(before).toBeLessThan(6_000);
  await timed("opening the picker", openPicker, before + 400);
  await timed("opening all below the root", () => tree().press("*"), before + 400);
  const search = page.getByRole("searchbox", { name: "Find an organization" });
  for (const text of ["b", "bu", "buil", "building 88"])
    await timed(`typing “${text}”`, async () => {
      await search.fill(text);
      await expect.poll(() => rows().count()).toBeGreaterThan(0);
    }, before + 400);
  expect(await rows().count()).toBeLessThan(40);
  await search.fill("building");
  await search.press("ArrowDown");
  await timed("going to the end of a thousand rows", async () => {
    await page.keyboard.press("End");
    await expect.poll(() => rows().last().getAttribute("aria-posinset")).not.toBeNull();
    await expect.poll(() => tree().evaluate((t) => document.getElementById(t.getAttribute("aria-activedescendant") ?? "") !== null)).toBe(true);
  }, before + 400);
  expect(await rows().count()).toBeLessThan(40);
  await search.fill("site 7");
  await timed("choosing a site", async () => {
    await search.press("Enter");
    await picker().waitFor({ state: "detached" });
    await expect.poll(() => visitor.heading()).toMatch(/^\d+ places? reporting/);
  }, before + 400);
  await visitor.shot("picker-large");
  await visitor.go("/?org=1");
  await tiles().first().waitFor();
  await timed("finding one of ten thousand places", async () => {
    await page.getByRole("searchbox", { name: /Find place/ }).fill("Room 7777");
    await expect.poll(() => page.locator("section[aria-labelledby=all] a.tile").count()).toBe(1);
  }, before + 400);
  await visitor.shot("ten-thousand");
  await visitor.go("/places?org=1");
  await page.locator("tbody tr").first().waitFor();
  await timed("the list of places", () => page.getByRole("button", { name: "Further" }).click(), 3_500);
  await visitor.go("/organizations");
  await page.locator("tbody tr").first().waitFor();
  await timed("the list of organizations", () => page.getByRole("button", { name: "Further" }).click(), 3_500);
}, 300_000);

describe("the overview", () => {
  it("groups places by organization", async () => {
    await open();
    await expect.poll(() => page.locator(".group h3").allInnerTexts()).toEqual(
      expect.arrayContaining([expect.stringMatching(/^Acme › Brno › Cold storage\s+\d+ places$/), expect.stringMatching(/^Beta\s+2 places$/)]),
    );
    await visitor.shot("overview-groups");
  });

  it("counts a place without a device, and says so on its tile", async () => {
    await open("/places/1");
    await page.getByRole("button", { name: /^Take away… / }).click();
    await page.getByRole("dialog").getByLabel("Reason").fill("broken");
    await page.getByRole("dialog").getByRole("button", { name: "Take away" }).click();
    await expect.poll(() => page.locator(".why.vacant").innerText()).toBe("No device measures here now.");
    await visitor.go("/");
    await expect.poll(() => visitor.heading()).toContain("1 without a device");
    expect(await page.locator("a.tile.vacant").innerText()).toContain("No device measures here now.");
    await page.getByRole("link", { name: "1 device is at no place" }).click();
    await page.waitForURL("**/devices?place=none");
    await expect.poll(() => page.locator("tbody tr").count()).toBe(1);
  });

  it("follows live values", async () => {
    await open();
    const tile = page.locator("a.tile", { hasText: "Dock door east" });
    await tile.waitFor();
    const now = new Date().toISOString();
    fixture.say("message", { device_id: 4, measured_at: now, received_at: now, interval: 60, late: false, values: [{ channel_id: 40, value: 33.3, quality: "good" }] });
    await expect.poll(() => tile.innerText()).toContain("33.3");
  });
});

describe("a place", () => {
  it("is one click from its tile, with chart, completeness and devices", async () => {
    await open();
    await page.locator("a.tile", { hasText: "Hall A" }).click();
    await page.waitForURL("**/places/7");
    await visitor.charted();
    expect(await visitor.heading()).toMatch(/^Hall A −?\d/);
    expect(await page.locator(".crumb").innerText()).toBe("Overview › Acme › Brno");
    await expect.poll(() => page.locator(".legend.completeness").innerText()).toMatch(/^Received/);
    expect(await page.locator(".visits tbody tr").count()).toBe(1);
    await visitor.accessible();
    await visitor.shot("place");
    await page.getByRole("button", { name: "Week", exact: true }).click();
    await page.waitForURL("**?range=week");
    await visitor.charted();
  });

  it("shows its times in the zone of its organization, also where dates are chosen", async () => {
    await open("/places/11");
    await visitor.charted();
    await expect.poll(() => page.locator(".verdict .facts").innerText()).toMatch(/As of \d+ \w{3} \d{4} \d\d:\d\d:\d\d −0[45]:00/);
    await page.getByRole("button", { name: "Dates…" }).click();
    const dialog = page.getByRole("dialog", { name: "Choose dates" });
    await dialog.getByLabel("From").fill("2026-01-02T03:00");
    await dialog.getByLabel("To", { exact: true }).fill("2026-01-03T03:00");
    expect(await dialog.innerText()).toContain("Times of America/New_York, −05:00 then.");
    await dialog.getByRole("button", { name: "Show" }).click();
    await page.waitForURL("**from=2026-01-02T08%3A00%3A00.000Z&to=2026-01-03T08%3A00%3A00.000Z");
    await visitor.go("/");
    await expect.poll(() => page.locator(".verdict .facts").innerText()).toMatch(/\+0[12]:00/);
  });

  it("is renamed and moved with a reason", async () => {
    await open("/places/7");
    await page.getByRole("button", { name: "Edit…" }).click();
    const dialog = page.getByRole("dialog", { name: "Edit Hall A" });
    await dialog.getByLabel("Name", { exact: true }).fill("Hall A west");
    await dialog.getByRole("button", { name: "Change Organization" }).click();
    await dialog.getByRole("searchbox").fill("praha");
    await page.keyboard.press("Enter");
    expect(await dialog.getByRole("group", { name: "Organization" }).innerText()).toContain("Acme › Praha");
    expect(await dialog.innerText()).toContain("Its history goes with it");
    await visitor.accessible();
    await dialog.getByRole("button", { name: "Save" }).click();
    expect(await dialog.getByLabel("Reason").evaluate((i: HTMLInputElement) => i.validity.valueMissing)).toBe(true);
    await dialog.getByLabel("Reason").fill("the wall was moved");
    await dialog.getByRole("button", { name: "Save" }).click();
    await expect.poll(() => visitor.heading()).toContain("Hall A west");
    expect(fixture.tree.changes.at(-1)).toEqual({ key: "PATCH /places/7", body: { name: "Hall A west", organization_id: 5, why: "the wall was moved" } });
    await expect.poll(() => page.locator(".crumb").innerText()).toContain("Praha");
  });

  it("is closed and opened again", async () => {
    await open("/places/7");
    await page.getByRole("button", { name: "Close…" }).click();
    await page.getByRole("dialog").getByLabel("Reason").fill("torn down");
    await page.getByRole("dialog").getByRole("button", { name: "Close", exact: true }).click();
    await expect.poll(() => page.locator(".verdict .state").innerText()).toBe("Closed");
    await page.getByRole("button", { name: "Open again…" }).click();
    await page.getByRole("dialog").getByLabel("Reason").fill("built again");
    await page.getByRole("dialog").getByRole("button", { name: "Open again" }).click();
    await expect.poll(() => page.locator(".verdict .state").count()).toBe(0);
  });

  it("is added, and a device is put there", async () => {
    await open("/places");
    await page.getByRole("button", { name: "Add a place" }).click();
    await page.getByRole("dialog").getByLabel("Name", { exact: true }).fill("<b>New</b>\u202E room");
    await page.getByRole("dialog").getByRole("button", { name: "Add", exact: true }).click();
    await expect.poll(() => visitor.heading()).toContain("<b>New</b>⟨U+202E⟩ room");
    await page.getByRole("button", { name: "Put a device here…" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("radio").first().check();
    expect(await dialog.innerText()).toContain("is new: going on accepts it");
    await dialog.getByLabel("Reason").fill("first sensor");
    await dialog.getByRole("button", { name: "Put it here" }).click();
    await expect.poll(() => page.locator(".visits tbody tr").count()).toBe(1);
  });

  it("that is not there says so", async () => {
    await open("/places/99999");
    await expect.poll(() => page.getByRole("alert").innerText()).toContain("There is no such thing.");
  });
});

describe("swapping a device", () => {
  it("takes two steps, warns where channels differ, and shows in the chart", async () => {
    await open("/places/2");
    await visitor.charted();
    await page.getByRole("button", { name: "Swap a device…" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("radio").first().waitFor();
    await visitor.accessible();
    await visitor.shot("swap-1");
    await dialog.getByRole("searchbox").fill("00000025");
    await dialog.getByRole("radio").first().check();
    await dialog.getByRole("button", { name: "Next" }).click();
    await page.getByRole("dialog", { name: /^Swap .* for / }).waitFor();
    await expect.poll(() => dialog.locator(".mapping tbody tr").count()).toBeGreaterThan(1);
    const text = await dialog.locator(".mapping").innerText();
    expect(text).toMatch(/Temperature °C/);
    expect(text).toMatch(/the series ends|begins a new series/);
    await visitor.accessible();
    await visitor.shot("swap-2");
    await dialog.getByRole("radio", { name: "It is retired" }).check();
    await dialog.getByRole("button", { name: "Swap", exact: true }).click();
    expect(await dialog.getByLabel("Reason").evaluate((i: HTMLInputElement) => i.validity.valueMissing)).toBe(true);
    await dialog.getByLabel("Reason").fill("the old one drifts");
    await dialog.getByRole("button", { name: "Swap", exact: true }).click();
    await dialog.waitFor({ state: "detached" });
    const { key, body } = fixture.tree.changes.at(-1)!;
    expect(key).toBe("POST /places/2/swap");
    expect(body).toMatchObject({ from_device: 2, to_device: 25, retire: true, why: "the old one drifts" });
    await expect.poll(() => page.locator(".visits tbody tr").count()).toBeGreaterThan(1);
    expect(await page.locator(".swaps").innerText()).toMatch(/Cold room 2 → 00000025[\s\S]*the old one drifts/);
    await visitor.charted();
    await page.getByRole("button", { name: "Table", exact: true }).click();
    await page.locator(".series-table tbody tr").first().waitFor();
    await visitor.accessible();
    await visitor.shot("swapped");
    await page.locator(".visits a").last().click();
    await page.locator("#about").waitFor();
    expect(await page.locator("dl.rows").filter({ hasText: "Before at" }).innerText()).toContain("Cold room 2");
  }, 180_000);

  it("never gives one channel to two series", async () => {
    await open("/places/2");
    await page.getByRole("button", { name: "Swap a device…" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("radio").first().check();
    await dialog.getByRole("button", { name: "Next" }).click();
    const selects = dialog.locator(".mapping select");
    await selects.first().waitFor();
    const value = await selects.first().inputValue();
    await selects.nth(1).selectOption(value);
    expect(await selects.first().inputValue()).toBe("");
    await dialog.getByRole("button", { name: "Back" }).click();
    await expect.poll(() => dialog.innerText()).toContain("Step 1 of 2");
  });
});

describe("organizations", () => {
  it("are added, renamed, moved, given a zone and closed", async () => {
    await open("/organizations");
    await expect.poll(() => visitor.heading()).toBe("6 organizations");
    await page.getByRole("button", { name: "Add an organization below Beta" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name", { exact: true }).fill("Vaults");
    await dialog.getByLabel("Time zone").fill("Europe/Nowhere");
    expect(await dialog.getByRole("button", { name: "Add" }).isDisabled()).toBe(true);
    await dialog.getByLabel("Time zone").fill("Asia/Tokyo");
    await visitor.accessible();
    await dialog.getByRole("button", { name: "Add" }).click();
    await expect.poll(() => visitor.heading()).toBe("7 organizations");
    await page.getByRole("button", { name: "Edit Vaults" }).click();
    await dialog.getByLabel("Name", { exact: true }).fill("Archive");
    await dialog.getByRole("button", { name: "Change Below" }).click();
    await dialog.getByRole("treeitem").filter({ hasText: "Acme" }).first().click();
    await dialog.getByLabel("Reason").fill("sold");
    await dialog.getByRole("button", { name: "Save" }).click();
    await expect.poll(() => page.locator("tbody tr").filter({ hasText: "Archive" }).count()).toBe(1);
    expect(fixture.tree.changes.at(-1)).toEqual({ key: "PATCH /organizations/7", body: { name: "Archive", parent_id: 2, why: "sold" } });
    await page.getByRole("button", { name: "Close Acme" }).click();
    await dialog.getByLabel("Reason").fill("gone");
    await dialog.getByRole("button", { name: "Close", exact: true }).click();
    await expect.poll(() => dialog.getByRole("alert").innerText()).toBe("Close the organizations below it first.");
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Close Archive" }).click();
    await dialog.getByLabel("Reason").fill("gone");
    await dialog.getByRole("button", { name: "Close", exact: true }).click();
    await expect.poll(() => visitor.heading()).toBe("6 organizations");
  });
});

describe("accepting a new device", () => {
  it("puts it at a place that there is, or at none", async () => {
    await open("/new");
    const cards = page.locator("li.newdevice");
    await cards.first().getByRole("button", { name: /^Accept/ }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("radio", { name: "At a place that there is" }).check();
    expect(await dialog.getByRole("button", { name: "Accept" }).isDisabled()).toBe(true);
    await dialog.getByRole("searchbox").fill("hall b");
    await dialog.getByRole("radio", { name: /Hall B/ }).check();
    await visitor.accessible();
    await visitor.shot("accept-where");
    await dialog.getByRole("button", { name: "Accept" }).click();
    await dialog.waitFor({ state: "detached" });
    expect(fixture.tree.changes.at(-1)?.body).toEqual({ place_id: 8 });
    await cards.first().getByRole("button", { name: /^Accept/ }).click();
    await dialog.getByRole("radio", { name: "At no place yet" }).check();
    await dialog.getByRole("button", { name: "Accept" }).click();
    await dialog.waitFor({ state: "detached" });
    expect(fixture.tree.changes.at(-1)?.body).toEqual({ place_id: 0 });
  });
});

it("a reader changes nothing here", async () => {
  await open("/places/7", { role: "reader" });
  await visitor.charted();
  for (const name of ["Edit…", "Close…", "Swap a device…", "Put a device here…"]) expect(await page.getByRole("button", { name }).count(), name).toBe(0);
  await visitor.go("/organizations");
  await page.locator("tbody tr").first().waitFor();
  expect(await page.locator("main").getByRole("button").count()).toBe(0);
});

describe.each(["light", "dark"] as const)("in %s", (colorScheme) => {
  it.each(["/", "/places", "/places/4", "/places/7?channels=70,71&range=week", "/organizations", "/devices?place=none"])("%s breaks no rule of accessibility", async (path) => {
    await open(path, {}, { colorScheme });
    await visitor.settled();
    await visitor.accessible();
    await visitor.shot(`tree-${path.replace(/\W+/g, "-")}-${colorScheme}`);
  });
});

describe("on a phone", () => {
  it.each(["/?org=4", "/places", "/places/7", "/organizations"])("%s needs no sideways scroll", async (path) => {
    await open(path, {}, { viewport: { width: 320, height: 640 } });
    await visitor.settled();
    await visitor.fitsWidth();
    await visitor.shot(`tree-phone-${path.replace(/\W+/g, "-")}`);
  });

  it("picker and swap fit", async () => {
    await open("/places/2", {}, { viewport: { width: 320, height: 640 } });
    await openPicker();
    await visitor.fitsWidth();
    await visitor.shot("tree-phone-picker");
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Swap a device…" }).click();
    await page.getByRole("dialog").getByRole("radio").first().check();
    await page.getByRole("dialog").getByRole("button", { name: "Next" }).click();
    await page.locator(".mapping").waitFor();
    await visitor.fitsWidth();
    await visitor.shot("tree-phone-swap");
  });
});
