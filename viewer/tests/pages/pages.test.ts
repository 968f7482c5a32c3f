import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { launch, Visitor } from "./browser";

// What a person does on every page, against the program that HALLEY_URL names. A fleet of simulated devices must report there,
// and three new devices must wait.

let browser: Browser;
let visitor: Visitor;
let page: Page;

const visit = (options: Parameters<typeof Visitor.open>[2] = {}) => Visitor.open(browser, inject("origin"), { storageState: inject("storage"), ...options });

beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());
beforeEach(async () => {
  visitor = await visit();
  page = visitor.page;
});
afterEach(() => visitor.leave());

const tile = () => page.locator("a.tile");
const overview = async () => {
  await visitor.go("/");
  await page.locator(".facts").first().waitFor();
};
/** From a tile to its place, and from there to the device that measures it. */
const openFirstDevice = async () => {
  await overview();
  await tile().filter({ has: page.locator(".trend path") }).first().click();
  await visitor.charted();
  await page.locator(".visits a").first().click();
  await page.waitForURL("**/devices/*");
  await page.locator("#about").waitFor();
  await visitor.charted();
};
const rangeNamed = (name: string) => page.getByRole("group", { name: "Range" }).getByRole("button", { name, exact: true });
const pressed = (button: Locator) => button.getAttribute("aria-pressed");
const spanOfAddress = () => {
  const query = new URL(page.url()).searchParams;
  const from = Date.parse(query.get("from") ?? ""),
    to = Date.parse(query.get("to") ?? "");
  return { from, to, length: to - from };
};
const addressChanges = (from: string) => page.waitForURL((url) => url.href !== from);

describe("the overview", () => {
  it("says first whether all is well, and never more than it knows", async () => {
    await overview();
    const verdict = await visitor.heading();
    expect(verdict).toMatch(/^\d+ /);
    expect(verdict).toMatch(/no limits set$/);
    expect(verdict).not.toMatch(/well/);
    await expect.poll(() => page.locator(".verdict .facts").innerText()).toMatch(/As of \d+ \w{3} \d{4} \d\d:\d\d:\d\d \+0[12]:00/);
    expect(await page.locator("header").innerText()).toContain("Contains simulated data");
  });

  it("counts every place in exactly one state, and shows a tile for each", async () => {
    await overview();
    // Places may come and go meanwhile.
    const both = async () => {
      const { said, tiles } = await page.evaluate(() => ({ said: document.querySelector("main h1")!.textContent, tiles: document.querySelectorAll("a.tile").length }));
      const numbers = [...said.matchAll(/\d[\d,]*/g)].map((m) => Number(m[0].replace(",", "")));
      return { all: numbers.reduce((a, b) => a + b, 0), tiles };
    };
    await expect.poll(both).toSatisfy(({ all, tiles }: Awaited<ReturnType<typeof both>>) => (all <= 60 ? tiles === all : tiles <= 180));
  });

  it("shows value, unit, age and trend of a place", async () => {
    await overview();
    const first = tile().filter({ has: page.locator(".trend path") }).first();
    await first.waitFor();
    expect(await first.locator(".big").innerText()).toMatch(/\d/);
    expect(await first.locator("em").innerText()).toMatch(/ago|just now/);
  });

  it("finds a place by the serial number of its device", async () => {
    await overview();
    const all = await tile().count();
    await page.getByRole("searchbox").fill("00000001");
    await expect.poll(() => tile().count()).toBeLessThan(all);
    await page.getByRole("searchbox").fill("no such device");
    await expect.poll(() => tile().count()).toBe(0);
    await expect.poll(() => page.getByText("No place fits.").isVisible()).toBe(true);
  });

  it("leads to the devices that wait for a decision", async () => {
    await overview();
    await page.getByRole("link", { name: /wait.? for a decision/ }).click();
    await expect.poll(() => visitor.heading()).toMatch(/wait/);
    expect(new URL(page.url()).pathname).toBe("/new");
  });
});

describe("a device", () => {
  it("shows a chart with legend and completeness", async () => {
    await openFirstDevice();
    expect(await page.locator(".plot canvas").count()).toBeGreaterThan(0);
    expect(await page.locator("[data-part=legend]").innerText()).not.toBe("");
    await expect.poll(() => page.locator(".legend.completeness").innerText()).toMatch(/^Received [\d,]+ /);
    expect(await page.locator("svg.band").getAttribute("aria-label")).toMatch(/^Received/);
    expect(await page.title()).toMatch(/ · Halley$/);
  });

  it("draws something", async () => {
    await openFirstDevice();
    // A line leaves coloured points on the canvas; axes and grid alone are grey.
    const coloured = () => page.locator(".plot canvas").first().evaluate((canvas: HTMLCanvasElement) => {
      const { data } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
      let n = 0;
      for (let i = 0; i < data.length; i += 4) if (data[i + 3]! > 200 && data[i + 2]! - data[i]! > 100) n++;
      return n;
    });
    await expect.poll(coloured).toBeGreaterThan(100);
  });

  it("shows each range that is chosen, and keeps it in the address", async () => {
    await openFirstDevice();
    for (const [name, key] of [["1 h", "hour"], ["Week", "week"], ["Month", "month"], ["Year", "year"], ["10 years", "decade"]] as const) {
      await rangeNamed(name).click();
      await page.waitForURL(`**?range=${key}`);
      await visitor.charted();
      expect(await pressed(rangeNamed(name))).toBe("true");
      expect(await page.locator("[role=alert]").count()).toBe(0);
    }
    await rangeNamed("Day").click();
    await page.waitForURL((url) => url.search === "");
    await page.goBack();
    await expect.poll(() => pressed(rangeNamed("10 years"))).toBe("true");
  });

  it("asks for buckets over long ranges and for samples over short ones", async () => {
    await openFirstDevice();
    const asked: URLSearchParams[] = [];
    page.on("request", (r) => r.url().includes("/samples") && asked.push(new URL(r.url()).searchParams));
    await rangeNamed("Year").click();
    await visitor.charted();
    await expect.poll(() => asked.length).toBeGreaterThan(0);
    expect(Number(asked[0]?.get("points"))).toBeLessThanOrEqual(1100);
    asked.length = 0;
    await rangeNamed("1 h").click();
    await expect.poll(() => asked.length).toBeGreaterThan(0);
    expect(asked[0]?.get("points")).toBeNull();
  });

  it("zooms by dragging and loads finer data, moves by dragging with shift, and zooms out by a double click", async () => {
    await openFirstDevice();
    await rangeNamed("Week").click();
    await page.waitForURL("**?range=week");
    await visitor.charted();
    const box = (await page.locator(".u-over").first().boundingBox())!;
    const y = box.y + box.height / 2;
    const drag = async (from: number, to: number) => {
      await page.mouse.move(box.x + box.width * from, y);
      await page.mouse.down();
      await page.mouse.move(box.x + box.width * ((from + to) / 2), y);
      await page.mouse.move(box.x + box.width * to, y);
      await page.mouse.up();
    };
    const finer = page.waitForRequest((r) => r.url().includes("/samples"));
    await drag(0.5, 0.7);
    await page.waitForURL("**from=**");
    const zoomed = spanOfAddress();
    expect(zoomed.length / (7 * 86_400_000)).toBeCloseTo(0.2, 1);
    expect(Date.parse(new URL((await finer).url()).searchParams.get("from") ?? "")).toBe(zoomed.from);
    await visitor.charted();

    let before = page.url();
    await page.keyboard.down("Shift");
    await drag(0.2, 0.4);
    await page.keyboard.up("Shift");
    await addressChanges(before);
    const panned = spanOfAddress();
    expect(panned.length).toBe(zoomed.length);
    expect((zoomed.from - panned.from) / zoomed.length).toBeCloseTo(0.2, 1);
    await visitor.charted();

    before = page.url();
    await page.mouse.dblclick(box.x + box.width / 2, y);
    await addressChanges(before);
    expect(spanOfAddress().length / zoomed.length).toBeCloseTo(2, 1);
  });

  it("moves and zooms by keys and by buttons", async () => {
    await openFirstDevice();
    await page.locator(".plots").focus();
    const steps: [() => Promise<void>, (after: { from: number; length: number }, before: { from: number; length: number }) => void][] = [
      [() => page.keyboard.press("ArrowLeft"), (after) => expect(after.length).toBe(86_400_000)],
      [() => page.keyboard.press("+"), (after, before) => expect(after.length).toBe(before.length / 2)],
      [() => page.keyboard.press("-"), (after, before) => expect(after.length).toBe(before.length * 2)],
      [() => page.keyboard.press("ArrowLeft"), (after, before) => expect(after.from).toBe(before.from - before.length / 4)],
      [() => page.keyboard.press("ArrowRight"), (after, before) => expect(after.from).toBe(before.from + before.length / 4)],
      [() => page.getByRole("button", { name: "Earlier" }).click(), (after, before) => expect(after.from).toBe(before.from - before.length / 2)],
      [() => page.getByRole("button", { name: "Zoom in" }).click(), (after, before) => expect(after.length).toBe(before.length / 2)],
    ];
    let before = spanOfAddress();
    for (const [act, check] of steps) {
      const address = page.url();
      await act();
      await addressChanges(address);
      const after = spanOfAddress();
      check(after, before);
      before = after;
    }
    await page.locator(".plots").focus();
    await page.keyboard.press("End");
    await page.waitForURL((url) => !url.search.includes("from"));
  });

  it("shows dates that are chosen", async () => {
    await openFirstDevice();
    await rangeNamed("Dates…").click();
    const dialog = page.getByRole("dialog", { name: "Choose dates" });
    await dialog.getByLabel("From").fill("2026-01-02T03:00");
    await dialog.getByLabel("To", { exact: true }).fill("2026-01-01T03:00");
    expect(await dialog.getByRole("button", { name: "Show" }).isDisabled()).toBe(true);
    await dialog.getByLabel("To", { exact: true }).fill("2026-01-03T03:00");
    await dialog.getByRole("button", { name: "Show" }).click();
    await page.waitForURL("**from=2026-01-02T02%3A00%3A00.000Z&to=2026-01-03T02%3A00%3A00.000Z");
  });

  it("adds channels and takes them away", async () => {
    await overview();
    // A device of more than one channel has a further value on its tile.
    await tile().filter({ has: page.locator(".more span") }).first().click();
    await visitor.charted();
    const chips = page.getByRole("group", { name: "Channels in the chart" }).getByRole("button");
    expect(await chips.count()).toBeGreaterThan(1);
    await chips.nth(1).click();
    await page.waitForURL("**channels=**");
    await visitor.charted();
    await expect.poll(() => page.locator("[data-part=legend] > [class^=line-]").count()).toBe(2);
    await chips.nth(0).click();
    await expect.poll(() => page.locator("[data-part=legend] > [class^=line-]").count()).toBe(1);
  });

  it("shows the same data as a table", async () => {
    await openFirstDevice();
    await page.getByRole("button", { name: "Table", exact: true }).click();
    const rows = page.locator(".series-table tbody tr");
    await rows.first().waitFor();
    expect(await rows.first().innerText()).toMatch(/\d+ \w{3} \d{4} \d\d:\d\d:\d\d \+0[12]:00/);
    expect(await rows.first().locator("td").innerText()).toMatch(/\d|error|not/);
  });

  it("saves all samples as a file", async () => {
    await openFirstDevice();
    const download = page.waitForEvent("download");
    await page.getByRole("button", { name: /^Save all samples/ }).first().click();
    const stream = await (await download).createReadStream();
    let text = "";
    for await (const part of stream) text += String(part);
    expect(text.split(/\r?\n/)[0]).toBe("time,value,quality");
    expect(text.split(/\r?\n/)[1]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z,/);
  });

  it("shows the last message as it was received", async () => {
    await openFirstDevice();
    const body = page.locator("pre");
    await body.waitFor();
    expect(await body.innerText()).toMatch(/[{<[]/);
  });

  it("is renamed", async () => {
    await openFirstDevice();
    const name = `Room ${Date.now()}`;
    await page.getByRole("button", { name: "Rename" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name", { exact: true }).fill(name);
    await dialog.getByLabel(/Reason/).fill("page test");
    await dialog.getByRole("button", { name: "Rename" }).click();
    await expect.poll(() => visitor.heading()).toContain(name);
  });
});

describe("new devices", () => {
  const cards = () => page.locator("li.newdevice");

  it("are shown with what they sent, and why they wait", async () => {
    await visitor.go("/new");
    await cards().first().waitFor();
    const text = await cards().first().innerText();
    expect(text).toMatch(/\d{8}/);
    expect(text).toMatch(/First seen/);
    expect(await cards().first().locator("dd").first().innerText()).toMatch(/\d|error|not/);
  });

  it("show what is kept of them", async () => {
    await visitor.go("/new");
    await cards().first().getByRole("link", { name: /kept/ }).click();
    await expect.poll(() => visitor.heading()).toBe("Quarantine");
    await page.locator("summary").first().click();
    expect(await page.locator("pre").first().innerText()).toMatch(/[{<[]/);
    await visitor.accessible();
    await visitor.shot("quarantine");
  });

  it("are accepted under a name, by keys alone", async () => {
    await visitor.go("/new");
    await cards().first().waitFor();
    const before = await cards().count();
    const button = cards().first().getByRole("button", { name: /^Accept/ });
    await button.focus();
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog");
    await dialog.waitFor();
    expect(await dialog.evaluate((d) => d.contains(document.activeElement))).toBe(true);
    await visitor.accessible();
    await visitor.shot("accept");
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "hidden" });
    expect(await button.evaluate((b) => b === document.activeElement)).toBe(true);

    const name = `New room ${Date.now()}`;
    await page.keyboard.press("Enter");
    await dialog.getByLabel("Name", { exact: true }).fill(name);
    await page.keyboard.press("Enter");
    await expect.poll(() => page.locator(".note.good").innerText()).toContain(name);
    expect(await page.locator(".note.good").evaluate((n) => n === document.activeElement)).toBe(true);
    await expect.poll(() => cards().count()).toBe(before - 1);
    await page.getByRole("link", { name: "Open its chart" }).click();
    await expect.poll(() => visitor.heading()).toContain(name);
  });

  it("are rejected with a reason only", async () => {
    await visitor.go("/new");
    await cards().first().waitFor();
    const before = await cards().count();
    const serial = /\d{8}/.exec(await cards().first().innerText())?.[0] ?? "";
    await cards().first().getByRole("button", { name: /^Reject/ }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: "Reject" }).click();
    expect(await dialog.getByLabel("Reason").evaluate((i: HTMLInputElement) => i.validity.valueMissing)).toBe(true);
    await dialog.getByLabel("Reason").fill("not ours");
    await dialog.getByRole("button", { name: "Reject" }).click();
    await expect.poll(() => cards().count()).toBe(before - 1);

    await visitor.go("/devices?state=rejected");
    await page.getByRole("searchbox").fill(serial);
    const row = page.locator("tbody tr").filter({ hasText: serial });
    await row.waitFor();
    await row.getByRole("button", { name: /^Accept/ }).click();
    await dialog.getByRole("button", { name: "Accept" }).click();
    await row.waitFor({ state: "detached" });
  });
});

describe("the list of devices", () => {
  it("shows all, and only those of a state that is chosen", async () => {
    await visitor.go("/devices");
    await page.locator("tbody tr").first().waitFor();
    const total = Number(/\d+/.exec(await visitor.heading())?.[0]);
    expect(await page.locator("tbody tr").count()).toBe(Math.min(total, 200));
    const accepted = page.getByRole("button", { name: /^Accepted/ }).first();
    await accepted.click();
    await page.waitForURL("**state=accepted");
    const n = Number(/\d+/.exec(await accepted.innerText())?.[0]);
    await expect.poll(() => page.locator("tbody tr").count()).toBe(Math.min(n, 200));
  });
});

describe("the server", () => {
  it("tells how far it has recorded and who reaches it", async () => {
    await visitor.go("/server");
    await page.locator("tbody tr").first().waitFor();
    const text = await page.locator("main").innerText();
    for (const word of ["Journal", "Recorded up to", "Database", "Servers on this database", "SQLite", "Quarantine", "Listeners"]) expect(text).toContain(word);
    expect(await page.locator("tbody tr").count()).toBeGreaterThan(1);
  });

  it("records what waits on request", async () => {
    await visitor.go("/server");
    await page.getByRole("button", { name: "Record now" }).click();
    await expect.poll(() => page.locator(".act [role=status]").innerText()).toMatch(/^Recorded up to [\d,]+\.$/);
  });
});

describe("by keys alone", () => {
  it("a person comes from the overview to a week's chart and back", async () => {
    await overview();
    await tile().first().waitFor();
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Skip to the content");
    await page.keyboard.press("Enter");
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("main");
    const tabTo = async (what: string) => {
      for (let i = 0; i < 60; i++) {
        await page.keyboard.press("Tab");
        if (await page.evaluate((selector) => document.activeElement?.matches(selector) ?? false, what)) return;
      }
      throw new Error(`the key Tab never comes to ${what}`);
    };
    await tabTo("a.tile");
    await page.keyboard.press("Enter");
    await visitor.charted();
    expect(await page.evaluate(() => document.activeElement?.tagName)).toBe("H1");
    await tabTo(".ranges button:nth-child(3)");
    await page.keyboard.press("Enter");
    await page.waitForURL("**?range=week");
    await tabTo(".plots");
    await page.keyboard.press("ArrowLeft");
    await page.waitForURL("**from=**");
    await page.goBack();
    await page.goBack();
    await page.goBack();
    await expect.poll(() => visitor.heading()).toMatch(/no limits set/);
  });
});

describe.each(["light", "dark"] as const)("in %s", (colorScheme) => {
  it.each(["/", "/devices", "/new", "/completeness", "/proof", "/audit", "/server", "/nowhere"])("%s breaks no rule of accessibility", async (path) => {
    const other = await visit({ colorScheme });
    await other.go(path);
    await other.settled();
    await other.accessible();
    await other.shot(`${path.slice(1) || "overview"}-${colorScheme}`);
    await other.leave();
  });

  it("a device breaks no rule of accessibility", async () => {
    const other = await visit({ colorScheme });
    await other.go("/");
    await other.page.locator("a.tile").filter({ has: other.page.locator(".trend path") }).first().click();
    await other.charted();
    await other.page.getByRole("button", { name: "Week" }).click();
    await other.charted();
    await other.shot(`device-${colorScheme}`);
    await other.page.getByRole("button", { name: "Table", exact: true }).click();
    await other.page.locator(".series-table tbody tr").first().waitFor();
    await other.accessible();
    await other.leave();
  });
});

describe("on a phone", () => {
  it.each(["/", "/devices", "/new", "/completeness", "/proof", "/audit", "/server"])("%s needs no sideways scroll", async (path) => {
    const phone = await visit({ viewport: { width: 320, height: 640 } });
    await phone.go(path);
    await phone.settled();
    await phone.fitsWidth();
    await phone.shot(`phone-${path.slice(1) || "overview"}`);
    await phone.leave();
  });

  it("a device needs no sideways scroll", async () => {
    const phone = await visit({ viewport: { width: 320, height: 640 } });
    await phone.go("/");
    // A curve is loaded when it comes into sight, and on a phone the first tile is the only one in sight.
    await phone.page.locator("a.tile").last().scrollIntoViewIfNeeded();
    await phone.page.locator("a.tile").filter({ has: phone.page.locator(".trend path") }).first().click();
    await phone.charted();
    await phone.fitsWidth();
    await phone.shot("phone-device");
    await phone.leave();
  });
});
