import type { BrowserContextOptions } from "playwright-core";
import { describe, expect, it } from "vitest";
import type { Store } from "../../src/api/types";
import { iso } from "../fixture/fleet";
import type { FixtureOptions } from "../fixture/server";
import { enter, fixture, page, stage, visitor } from "./stage";

// The database away, read-only, full, growing and shared: states that a real server cannot be brought into on demand.

const hour = 3_600_000;
const day = 24 * hour;

stage();

/** Goes to a page. What waits for the database is a night's worth. */
async function open(path: string, options: FixtureOptions = {}, window: BrowserContextOptions = {}): Promise<void> {
  await enter(options, window);
  if (options.store?.state && options.store.state !== "ok") {
    fixture.waiting = 1204;
    fixture.waitingSince = options.store.since ?? null;
  }
  await visitor.go(path);
}

const away = (): Partial<Store> => ({ kind: "sqlserver", engine: "", state: "away", since: iso(Date.now() - 3 * hour), problem: "The database server db1 does not answer on port 1433: start it, or check the network between it and this server." });
const note = () => page.locator(".storenote");
const chart = () => page.locator("section.chart[aria-busy=false]");
const inChart = () => page.locator(".plots .nothing");

/** What the server does when the database goes away or comes back: pages learn it by themselves. */
function change(store: Partial<Store>, waiting: number): void {
  fixture.waiting = waiting;
  fixture.waitingSince = store.since ?? null;
  fixture.setStore(store);
}

describe("while the database is away", () => {
  it.each(["/", "/devices", "/new", "/server", "/devices/1", "/devices/25/quarantine"])("%s says so in words and shows what it can", async (path) => {
    await open(path, { store: away() });
    await expect.poll(() => note().innerText()).toMatch(
      /^The database has been away since (\w{3} \d+ \w{3} )?\d\d:\d\d\. Nothing is lost: 1,204 uploads wait on this server\. Live values go on; history, completeness and changes come back with it\./,
    );
    expect(await page.locator("[role=alert]").count()).toBe(0);
    expect(await page.locator("main.stale").count()).toBe(0);
  });

  it("the overview shows live values, and says that completeness is not known", async () => {
    await open("/", { store: away() });
    await expect.poll(() => page.locator(".verdict .facts").innerText()).toContain("Received today not known while the database is away");
    const now = new Date().toISOString();
    fixture.say("message", { device_id: 4, measured_at: now, received_at: now, interval: 60, late: false, values: [{ channel_id: 40, value: 33.3, quality: "good" }] });
    await expect.poll(() => page.locator("a.tile", { hasText: "Dock door east" }).innerText()).toContain("33.3");
    expect(fixture.refused).toEqual([]);
    await visitor.shot("away-overview");
  });

  it("a device says in place of its chart what cannot be shown, and shows it by itself when it is back", async () => {
    await open("/devices/1", { store: away() });
    await chart().waitFor();
    await expect.poll(() => inChart().innerText()).toBe("History and completeness cannot be shown while the database is away. They are loaded by themselves when it is back.");
    expect(await page.locator("#latest").count()).toBe(1);
    await page.locator("pre").waitFor();
    await visitor.shot("away-device");
    change({ state: "ok", problem: "" }, 3);
    await expect.poll(() => page.locator(".plot canvas").count(), { timeout: 20_000 }).toBe(1);
    await expect.poll(() => page.locator(".legend.completeness b").innerText()).toMatch(/^Received /);
    expect(await note().count()).toBe(0);
    expect(await inChart().count()).toBe(0);
  });

  it("a chart that was loaded before stays, and says that it goes no further", async () => {
    await open("/devices/1");
    await page.locator(".plot canvas").first().waitFor();
    change(away(), 1204);
    fixture.say("devices", { version: 1 });
    await expect.poll(() => note().count()).toBe(1);
    await expect.poll(() => page.locator("section.chart .note").innerText()).toMatch(/^The chart ends where it was loaded last/);
    expect(await page.locator(".plot canvas").count()).toBe(1);
    await visitor.shot("away-chart-older");
    // Another range was never loaded: what was loaded before does not stand for it.
    await page.getByRole("button", { name: "Week", exact: true }).click();
    await expect.poll(() => inChart().innerText()).toMatch(/^History and completeness cannot be shown/);
    expect(await page.locator(".plot canvas").count()).toBe(0);
    expect(await page.locator("#figures").count()).toBe(0);
    change({ state: "ok" }, 3);
    await expect.poll(() => page.locator("section.chart[aria-busy=false] .plot canvas").count(), { timeout: 20_000 }).toBe(1);
    expect(await page.locator("#figures").innerText()).toBe("Week in figures");
    expect(await page.locator("section.chart .note").count()).toBe(0);
  });

  it("a decision says why it cannot be taken, and can be once the database is back", async () => {
    await open("/new", { store: away() });
    await page.locator("li.newdevice").first().getByRole("button", { name: /^Accept/ }).click();
    const dialog = page.getByRole("dialog");
    expect(await dialog.locator(".note").innerText()).toMatch(/^This cannot be changed while the database is away/);
    const accept = dialog.getByRole("button", { name: "Accept" });
    expect(await accept.isDisabled()).toBe(true);
    await visitor.accessible();
    await visitor.shot("away-accept");
    change({ state: "ok" }, 3);
    await expect.poll(() => accept.isDisabled(), { timeout: 20_000 }).toBe(false);
    await accept.click();
    await expect.poll(() => page.locator(".note.good").count()).toBe(1);
    expect(fixture.refused).toEqual([]);
  });

  it("a decision that the server refuses says the server's words and is not lost", async () => {
    await open("/devices/1");
    await page.getByRole("button", { name: "Rename" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name", { exact: true }).fill("Cold room 7");
    change(away(), 1204);
    await dialog.getByRole("button", { name: "Rename" }).click();
    await expect.poll(() => dialog.getByRole("alert").innerText()).toBe("The database cannot be reached: start it.");
    expect(await dialog.getByLabel("Name", { exact: true }).inputValue()).toBe("Cold room 7");
    // The refusal has the status asked at once: the whole page knows.
    await expect.poll(() => dialog.locator(".note").count()).toBe(1);
  });

  it("the server page says what is wrong, what waits and what to do", async () => {
    await open("/server", { store: away() });
    const panel = page.getByRole("region", { name: "Database", exact: true });
    const text = await panel.innerText();
    expect(text).toContain("Away: uploads wait in the journal");
    expect(text).toContain("does not answer on port 1433: start it");
    expect(text).toMatch(/Since\s+(\w{3} \d+ \w{3} )?\d\d:\d\d, for 3 h/);
    expect(text).toMatch(/Waiting to be recorded\s+1,204, the oldest 3 h ago/);
    expect(await page.locator("main").innerText()).not.toContain("The server says so too.");
    expect(await page.getByRole("button", { name: "Record now" }).isDisabled()).toBe(true);
    expect(await page.getByText("Once the database is back, this happens by itself.").count()).toBe(1);
    expect(await page.getByText("As it was when the database could be asked last.").count()).toBe(1);
    await visitor.shot("away-server");
  });
});

describe("a database that takes nothing", () => {
  it.each([
    ["read-only", /^Since (\w{3} \d+ \w{3} )?\d\d:\d\d the database can only be read\. Nothing is lost: 1,204 uploads wait .* once it can be written again\./],
    ["full", /^The database has been full since (\w{3} \d+ \w{3} )?\d\d:\d\d\. Nothing is lost: 1,204 uploads wait .* once it has room\./],
  ] as const)("because it is %s is read on, and says so", async (state, words) => {
    await open("/devices/1", { store: { ...away(), state } });
    await expect.poll(() => note().innerText()).toMatch(words);
    await page.locator(".plot canvas").first().waitFor();
    await expect.poll(() => page.locator(".legend.completeness b").innerText()).toMatch(/^Received /);
    await page.getByRole("button", { name: "Suspend…" }).click();
    expect(await page.getByRole("dialog").locator(".note").innerText()).toMatch(/^This cannot be changed while the database/);
    expect(await page.getByRole("dialog").getByRole("button", { name: "Suspend" }).isDisabled()).toBe(true);
    await page.keyboard.press("Escape");
    await visitor.go("/server");
    await visitor.accessible();
    await visitor.shot(`${state}-server`);
  });

  it("and a journal that is full do not say that nothing is lost", async () => {
    await open("/", {
      store: { ...away(), state: "full" },
      status: { journal: { id: "6f1c", last: 48_211, recorded: 47_007, waiting: 1204, oldest_waiting_at: iso(Date.now() - hour), bytes: 1_880_000, files: 3, state: "full" } },
    });
    await expect.poll(() => note().innerText()).toContain("which cannot keep more: devices are answered “not stored”.");
    expect(await note().innerText()).not.toContain("Nothing is lost");
  });
});

it("a database that is back says what is still being recorded", async () => {
  await open("/", { store: { state: "ok" } });
  fixture.waitingSince = iso(Date.now() - 3 * hour);
  fixture.waiting = 900;
  fixture.say("devices", { version: 1 });
  await expect.poll(() => note().innerText()).toMatch(/^900 uploads wait to be recorded, the oldest since .*\. History is whole once they are\.$/);
});

describe("growth", () => {
  it.each([
    ["Express", { limit: "edition", full_at: iso(Date.now() + 425 * day) }, /6\.4 GB of 10\.7 GB, 59\.6 % · Full in about 14 months \(\w+ \d{4}\)\s+The edition of SQL Server sets this limit: 10 GB/],
    ["a file's size, soon", { limit: "file-size", full_at: iso(Date.now() + 35.5 * day) }, /Full in about 5 weeks \(\d+ \w{3} \d{4}\)\s+The greatest size of the database's file/],
    ["a disk, at once", { limit: "disk", full_at: iso(Date.now() + 4.3 * day) }, /Full in about 4 days \(\d+ \w{3} \d{4}\)\s+The disk of the database/],
  ])("is shown as a bar and in words, bounded by %s", async (_name, of, words) => {
    await open("/server", { store: { kind: "sqlserver", engine: "SQL Server 2019 Express 15.0.4430", schema: 3, bytes: 6_400_000_000, samples: 320_000_000, bytes_per_sample: 20, samples_per_day: 400_123.4, limit_bytes: 10 * 2 ** 30, ...of } });
    const panel = page.getByRole("region", { name: "Database", exact: true });
    const text = (await panel.innerText()).replaceAll("\u00a0", " ");
    expect(text).toMatch(words);
    for (const part of [/Engine\s+SQL Server 2019 Express/, /Samples\s+320,000,000/, /Bytes a sample\s+20\.0/, /Samples a day\s+400,123/, /Schema\s+3/]) expect(text).toMatch(part);
    expect(await panel.getByRole("img").getAttribute("aria-label")).toMatch(/of 10\.7.GB, 59\.6/);
    const widths = await panel.locator("svg rect").evaluateAll((all) => all.map((r) => r.getBoundingClientRect().width));
    expect((widths[1] ?? 0) / (widths[0] ?? 1)).toBeCloseTo(0.596, 2);
    await visitor.accessible();
    await visitor.shot(`growth-${of.limit}`);
  });

  it("that is not known is said to be so", async () => {
    await open("/server", { store: { engine: "", bytes: 0, samples: 0, bytes_per_sample: 0, samples_per_day: 0, schema: 0 } });
    const panel = page.getByRole("region", { name: "Database", exact: true });
    await expect.poll(() => panel.getByText("not known yet").count()).toBeGreaterThanOrEqual(5);
    expect(await panel.getByRole("img").count()).toBe(0);
  });
});

describe("several servers on one database", () => {
  const nodes = () => [
    { name: "store-brno", version: "0.1.0", self: true, seen_at: iso(Date.now() - 8_000), silent: false, waiting: 21, oldest_waiting_at: iso(Date.now() - 4_000), leads: false },
    { name: "store-praha\u202E", version: "0.1.0", self: false, seen_at: iso(Date.now() - 11_000), silent: false, waiting: 0, oldest_waiting_at: null, leads: true },
    { name: "store-wien", version: "0.0.9", self: false, seen_at: iso(Date.now() - 26 * hour), silent: true, waiting: 4711, oldest_waiting_at: iso(Date.now() - 27 * hour), leads: false },
  ];

  it("are listed with what each said last", async () => {
    await open("/server", { status: { nodes: nodes() } });
    const rows = await page.getByRole("region", { name: "Servers on this database" }).locator("tbody tr").allInnerTexts();
    expect(rows).toHaveLength(3);
    expect(rows[0]).toMatch(/store-brno\s+this one[^]*21\s+the oldest/);
    expect(rows[1]).toMatch(/store-praha⟨U\+202E⟩\s+does the shared work/);
    expect(rows[2]).toMatch(/silent[^]*4,711\s+the oldest 1 d 3 h ago/);
    await visitor.accessible();
    await visitor.shot("nodes");
  });
});

describe.each(["light", "dark"] as const)("in %s", (colorScheme) => {
  it.each(["/", "/devices/1", "/server"])("%s without the database breaks no rule of accessibility", async (path) => {
    await open(path, { store: { ...away(), bytes: 6_400_000_000, limit_bytes: 10 * 2 ** 30, limit: "edition", full_at: iso(Date.now() + 9 * day) } }, { colorScheme });
    await note().waitFor();
    if (path.startsWith("/devices")) await inChart().waitFor();
    await visitor.accessible();
    await visitor.shot(`away${path.replaceAll("/", "-")}-${colorScheme}`);
  });
});

it.each(["/", "/devices/1", "/server"])("on a phone without the database %s needs no sideways scroll", async (path) => {
  await open(path, { store: { ...away(), bytes: 6_400_000_000, limit_bytes: 10 * 2 ** 30, limit: "edition", full_at: iso(Date.now() + 9 * day) } }, { viewport: { width: 320, height: 1400 } });
  await note().waitFor();
  await visitor.fitsWidth();
  await visitor.shot(`away-phone${path.replaceAll("/", "-")}`);
});
