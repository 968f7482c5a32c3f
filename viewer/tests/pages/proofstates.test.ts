import type { BrowserContextOptions } from "playwright-core";
import { describe, expect, it } from "vitest";
import type { Proof } from "../../src/api/proof";
import { iso } from "../fixture/fleet";
import type { FixtureOptions } from "../fixture/server";
import { enter, fixture, page, stage, visitor } from "./stage";

// Gaps, findings, overdue drills, a long audit trail: states that a real server cannot be brought into on demand.

const day = 86_400_000;

stage();

/** Goes to a page; which one may depend on the fixture. */
async function open(path: string | (() => string), options: FixtureOptions = {}, window: BrowserContextOptions = {}): Promise<void> {
  await enter(options, window);
  await visitor.go(typeof path === "string" ? path : path());
}

const grid = () => page.getByRole("grid");
const rows = () => grid().locator("tbody tr");
const calendar = async () => {
  await rows().first().waitFor();
};
const question = (name: string) => page.getByRole("region", { name });

describe("the calendar of completeness", () => {
  it("shows every device with a cell for each of 31 days, the worst first", async () => {
    await open("/completeness");
    await calendar();
    expect(await rows().count()).toBe(24);
    expect(await rows().first().locator("a.day").count()).toBe(31);
    expect(await visitor.heading()).toMatch(/^[\d,]+ of [\d,]+ messages missing, at \d+ of 24 devices$/);
    const shares = await grid().locator("td.share").allInnerTexts();
    const numbers = shares.map((s) => parseFloat(s));
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    expect(numbers[0]).toBeLessThan(50);
    await visitor.accessible();
    await visitor.shot("completeness");
  });

  it("says of a day in words what it shows in colour, by a number or a shape", async () => {
    await open("/completeness");
    await calendar();
    const missing = grid().locator("a.day.missing").first();
    expect(await missing.locator("i").innerText()).toMatch(/^(<1|\d+)$/);
    expect(await missing.locator(".unseen").textContent()).toMatch(/^\w{3} \d+ \w{3} \d{4}: Received [\d,]+ of [\d,]+, [\d,]+ missing.* \([<\d]+ % missing\)$/);
    expect(await grid().locator("a.day.complete").first().textContent()).toMatch(/nothing missing$/);
    await missing.hover();
    await expect.poll(() => page.locator(".pointing").innerText()).toMatch(/missing/);
    expect(await page.locator(".heat-legend").innerText()).toMatch(/complete\s+.*arrived late\s+/s);
  });

  it("is one stop of the key Tab, moves by arrows, and opens a day with Enter", async () => {
    await open("/completeness");
    await calendar();
    expect(await grid().locator('a.day[tabindex="0"]').count()).toBe(1);
    await grid().locator('a.day[tabindex="0"]').focus();
    await page.keyboard.press("ArrowLeft");
    await page.keyboard.press("ArrowDown");
    const href = await page.evaluate(() => document.activeElement?.getAttribute("href"));
    expect(href).toBe(await rows().nth(1).locator("a.day").nth(29).getAttribute("href"));
    expect(await grid().locator('a.day[tabindex="0"]').count()).toBe(1);
    expect(await page.locator(".pointing").innerText()).toMatch(/\d{4}: /);
    await page.keyboard.press("Enter");
    await page.waitForURL(`**${href}`);
    await expect.poll(() => page.evaluate(() => document.activeElement?.tagName)).toBe("H1");
  });

  it("shows a month, and the one before it", async () => {
    await open("/completeness");
    await calendar();
    await page.getByRole("button", { name: "The month before" }).click();
    await page.waitForURL("**month=**");
    const before = new Date(Date.UTC(new Date().getUTCFullYear(), new Date().getUTCMonth() - 1, 1));
    expect(new URL(page.url()).searchParams.get("month")).toBe(before.toISOString().slice(0, 7));
    const days = new Date(Date.UTC(before.getUTCFullYear(), before.getUTCMonth() + 1, 0)).getUTCDate();
    await expect.poll(() => rows().first().locator("a.day").count()).toBe(days);
    await page.getByRole("combobox", { name: "Range" }).selectOption({ label: "Last 30 days" });
    await expect.poll(() => rows().first().locator("a.day").count()).toBe(31);
  });

  it("finds a device by its name", async () => {
    await open("/completeness");
    await calendar();
    await page.getByRole("searchbox").fill("freezer");
    await expect.poll(() => rows().count()).toBe(2);
    await page.getByRole("searchbox").fill("nothing of the kind");
    await expect.poll(() => page.getByText("No device fits.").count()).toBe(1);
  });

  it("has a table of the same figures", async () => {
    await open("/completeness");
    await calendar();
    await page.getByRole("button", { name: "Table", exact: true }).click();
    const table = page.getByRole("group", { name: /^Completeness in figures/ });
    const first = await table.locator("tbody tr").first().innerText();
    expect(first).toMatch(/[\d,]+\s+[\d,]+\s+[\d,]+/);
    expect(await table.locator("tbody tr").count()).toBe(24);
    await visitor.accessible();
    await visitor.shot("completeness-table");
  });

  it("shows a thousand devices, a hundred a page", async () => {
    await open("/completeness", { size: 1000 });
    await calendar();
    expect(await rows().count()).toBe(100);
    expect(await page.locator(".pager").innerText()).toMatch(/1 to 100 of 1,000/);
    await page.getByRole("button", { name: "Better ones" }).click();
    await expect.poll(() => page.locator(".pager").innerText()).toMatch(/101 to 200 of 1,000/);
    expect(await rows().count()).toBe(100);
    await page.getByRole("searchbox").fill("Room 777");
    await expect.poll(() => rows().count()).toBe(1);
    await visitor.shot("completeness-thousand");
  });

  it("says so while the database is away, and counts once it is back", async () => {
    await open("/completeness", { store: { state: "away" } });
    await expect.poll(() => page.locator(".note:not(.storenote)").innerText()).toMatch(/^Completeness cannot be counted while the database is away\./);
    fixture.setStore({ state: "ok" });
    fixture.say("devices", { version: 1 });
    await calendar();
  });
});

describe("a device's day", () => {
  const gapDay = () => {
    const [from] = fixture.fleet.gap();
    return `/completeness/3/${iso(from).slice(0, 10)}`;
  };

  it("lists its gaps with their causes, and keeps what a person says of one", async () => {
    await open(gapDay);
    const gaps = page.getByRole("group", { name: "What is missing" });
    await expect.poll(() => gaps.innerText()).toMatch(/cause not known/);
    await visitor.accessible();
    await visitor.shot("day");
    await gaps.getByRole("button", { name: /^Say why/ }).first().click();
    const dialog = page.getByRole("dialog", { name: "Why are these messages missing?" });
    expect(await dialog.getByRole("button", { name: "Say so" }).isDisabled()).toBe(true);
    await dialog.getByLabel("Cause").selectOption({ label: "device switched off" });
    await dialog.getByLabel("Who switched it off, and why").fill("Defrosted");
    await visitor.accessible();
    await visitor.shot("explain");
    await dialog.getByRole("button", { name: "Say so" }).click();
    await expect.poll(() => gaps.innerText()).toMatch(/device switched off\s+“Defrosted” said by first administrator, /);
    await expect.poll(() => page.getByRole("region", { name: "What people said" }).innerText()).toMatch(/device switched off/);
    await visitor.shot("explained");
  });

  it("says that the family of Web Sensors reports no cause", async () => {
    await open(`/completeness/4/${iso(Date.now()).slice(0, 10)}`);
    await expect.poll(() => page.getByRole("group", { name: "What is missing" }).innerText()).toContain("not known: this family reports none");
  });

  it("a reader says nothing", async () => {
    await open(gapDay, { role: "reader" });
    await page.getByRole("group", { name: "What is missing" }).waitFor();
    expect(await page.getByRole("button", { name: /Say why/ }).count()).toBe(0);
  });

  it("says a person's mark under the chart too", async () => {
    let from = 0,
      to = 0;
    await open(() => {
      [from, to] = fixture.fleet.gap();
      fixture.proof.addCause(3, { from: iso(from), to: iso(to), cause: "switched-off", note: "Defrosted" });
      return "/devices/3";
    });
    await visitor.charted();
    expect(await page.locator(".legend.completeness b").innerText()).toMatch(/300 missing: device switched off$/);
    expect(await page.getByRole("group", { name: "What is missing" }).innerText()).toMatch(/“Defrosted” said by first administrator/);
    expect(await page.locator("svg.band .missing title").first().textContent()).toBe("300 missing: device switched off, says first administrator (“Defrosted”)");
    const box = (await page.locator(".u-over").first().boundingBox())!;
    // The gap is five hours long and ended seven to eight hours ago: its middle lies here in a day's chart.
    const middle = 1 - (Date.now() - (from + to) / 2) / day;
    await page.mouse.move(box.x + box.width * middle, box.y + box.height / 2);
    await expect.poll(() => page.locator("[data-part=legend]").innerText()).toContain("300 missing: device switched off, says first administrator (“Defrosted”)");
    await visitor.shot("marked-chart");
  });
});

describe("the proof", () => {
  it("answers three questions, and claims no more than is proven", async () => {
    await open("/proof");
    await expect.poll(() => question("Is anything missing?").innerText()).toMatch(/messages missing, at \d+ of 24 devices/);
    const changed = question("Has anything been changed?");
    expect(await changed.innerText()).toMatch(/No change found\s+all that is stored · checked against this machine only/);
    expect(await changed.innerText()).toContain("It has not left this machine.");
    expect(await changed.locator(".good").count()).toBe(0);
    expect(await question("Could you restore it?").innerText()).toMatch(/Restore proven on \d+ \w{3} \d{4}/);
    const order = await page.locator(".question h2").allInnerTexts();
    expect(order).toEqual(["Is anything missing?", "Has anything been changed?", "Could you restore it?"]);
    await visitor.accessible();
    await visitor.shot("proof");
  });

  it("is green of all that is stored only once a checkpoint has left", async () => {
    const sent = [{ to: "//nas/checkpoints", at: iso(Date.now() - 30 * 60_000), ok: true, problem: "" }, { to: "auditor@example.org", at: iso(Date.now() - 20 * 60_000), ok: false, problem: "The mail server mail.example.org does not answer." }];
    await open("/proof", {
      proof: {
        verification: { at: iso(Date.now() - 3_600_000), ok: true, from: null, to: null, samples: 5, batches: 1, checkpoints: 1, outside: true, anchor_at: iso(Date.now() - day), finding_count: 0, findings: [], problem: "", running: false, progress: 0 },
        checkpoint: { at: iso(Date.now() - 3_600_000), node: "store-brno", sent },
      },
    });
    const changed = question("Has anything been changed?");
    await expect.poll(() => changed.locator(".big-answer.good").innerText()).toBe("No change found");
    expect(await changed.innerText()).toMatch(/kept outside this machine; what came later, against this machine only/);
    expect(await changed.innerText()).toMatch(/Sent to \/\/nas\/checkpoints[^]*Not sent to auditor@example\.org[^]*does not answer/);
    await visitor.accessible();
    await visitor.shot("proof-outside");
  });

  it("verifies now, with its progress, and says what came of it", async () => {
    await open("/proof");
    const changed = question("Has anything been changed?");
    await changed.getByRole("button", { name: "Verify now" }).click();
    await changed.getByRole("progressbar").waitFor();
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Verify now");
    await visitor.shot("verifying");
    await changed.getByRole("progressbar").waitFor({ state: "detached" });
    expect(await changed.innerText()).toMatch(/just now|\d s ago/);
  });

  it("verifies between two dates", async () => {
    await open("/proof");
    const changed = question("Has anything been changed?");
    await changed.getByRole("button", { name: "Verify dates…" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("From").fill("2026-01-02T00:00");
    await dialog.getByLabel("To", { exact: true }).fill("2026-01-05T00:00");
    await dialog.getByRole("button", { name: "Verify" }).click();
    await expect.poll(() => changed.innerText()).toContain("measured 2 Jan 2026 to 4 Jan 2026");
    expect(await changed.locator(".good").count()).toBe(0);
  });

  it("a reader verifies nothing", async () => {
    await open("/proof", { role: "reader" });
    await question("Could you restore it?").waitFor();
    expect(await page.getByRole("button", { name: /^Verify/ }).count()).toBe(0);
  });

  it("lists results newest first, of a kind, and older ones", async () => {
    await open("/proof");
    const list = question("All results");
    await list.locator("tbody tr").first().waitFor();
    expect(await list.locator("tbody tr").count()).toBe(50);
    await list.getByRole("button", { name: "Older results" }).click();
    await expect.poll(() => list.locator("tbody tr").count()).toBe(100);
    await list.getByRole("button", { name: "Set back", exact: true }).click();
    await expect.poll(() => list.locator("tbody tr").allInnerTexts()).toEqual([expect.stringMatching(/Set back\s+The database was set back to/)]);
    await list.getByRole("button", { name: "Drill", exact: true }).click();
    await expect.poll(() => list.locator("tbody tr").count()).toBe(10);
    expect(await list.locator("tbody tr").first().innerText()).toMatch(/restored for trial, 18,002,113 samples verified/);
  });

  it("of a new server is grey, and says calmly what is not set up", async () => {
    await open("/proof", { size: 0, proof: { verification: null, checkpoint: null, backup: null, drill: null } });
    await expect.poll(() => question("Is anything missing?").innerText()).toContain("Nothing has been counted yet");
    expect(await question("Has anything been changed?").innerText()).toContain("Not verified yet");
    expect(await question("Could you restore it?").innerText()).toMatch(/Not proven: no backup is set up\s+Backups are set up in the section \[backup\]/);
    expect(await page.locator(".question .good, .question .fault, .question .alarm").count()).toBe(0);
    await visitor.accessible();
    await visitor.shot("proof-new");
  });

  it("is shown on the first page as one quiet line", async () => {
    await open("/");
    await expect.poll(() => page.locator(".proofline").innerText()).toMatch(/messages missing, at \d+ of 24 devices \(last 30 days\)[^]*No change found \(\d+ \w{3} \d{4}, checked against this machine only\)[^]*Restore proven on \d+ \w{3} \d{4}/);
    expect(await page.locator(".proof-needs").count()).toBe(0);
    await visitor.accessible();
    await visitor.shot("overview-proof");
    await page.getByRole("link", { name: "No change found" }).click();
    await expect.poll(() => visitor.heading()).toBe("What has been proven");
  });
});

const wanting = (): Partial<Proof> => ({
  verification: {
    at: iso(Date.now() - 3_600_000),
    ok: false,
    from: null,
    to: null,
    samples: 18_240_511,
    batches: 52_310,
    checkpoints: 214,
    outside: true,
    anchor_at: iso(Date.now() - day),
    finding_count: 14,
    findings: [
      { what: "changed", text: "Device 00000003, channel 1 (temperature, °C), 20 Nov 2026 10:14:00 UTC: the sample is 4.6, it was recorded as 8.9 in batch 51 204." },
      { what: "setting", text: "The limit of Cold room 3 was changed from 8 to 12 °C outside of Halley \u202E." },
    ],
    problem: "",
    running: false,
    progress: 0,
  },
  drill: { at: iso(Date.now() - 40 * day), ok: true, backup: "halley-20261013", backup_at: iso(Date.now() - 41 * day), samples: 17_000_000, problem: "", overdue: true, findings: [] },
  backup: { at: iso(Date.now() - 2 * day), end_at: iso(Date.now() - 2 * day), ok: false, name: "halley-20261119", to: "//nas/halley", bytes: 0, encrypted: false, problem: "The folder //nas/halley cannot be written: access is denied.", configured: true, overdue: true },
  set_back: [{ at: iso(Date.now() - 3 * day), what: "store", text: "The database was set back to 9 Nov 2026 02:00 UTC: an older copy of it was put in its place." }],
});

describe("what needs a person", () => {
  it("stands out on the first page, the gravest first", async () => {
    await open("/", { proof: wanting() });
    await expect.poll(() => page.locator(".proof-needs li").allInnerTexts()).toEqual([
      expect.stringMatching(/^Needs a person: 14 things are not as they were recorded · The backup of .* failed/),
      expect.stringMatching(/^Attention: Restore was proven on .*; the next drill is overdue · The database was set back to/),
    ]);
    // What stands out is not said a second time.
    expect(await page.locator(".proofline").innerText()).not.toMatch(/not as they were recorded|overdue/);
    await visitor.accessible();
    await visitor.shot("overview-wanting");
  });

  it("is told on the page of the proof as sentences", async () => {
    await open("/proof", { proof: wanting() });
    const changed = question("Has anything been changed?");
    await expect.poll(() => changed.innerText()).toMatch(/14 things are not as they were recorded[^]*changed Device 00000003[^]*⟨U\+202E⟩[^]*12 more/);
    expect(await page.locator(".messages").innerText()).toContain("Set back: The database was set back");
    expect(await question("Could you restore it?").innerText()).toMatch(/the next drill is overdue[^]*The backup of .* failed[^]*access is denied/);
    await visitor.accessible();
    await visitor.shot("proof-wanting");
  });
});

describe("evidence", () => {
  const make = async () => {
    await page.getByRole("button", { name: "Evidence…" }).click();
    await page.getByRole("dialog", { name: /^Evidence for / }).getByRole("button", { name: "Make the file" }).click();
  };

  it("is one file of the range that is shown", async () => {
    await open("/places/1?from=2026-11-01T00%3A00%3A00.000Z&to=2026-11-08T00%3A00%3A00.000Z");
    const asked = page.waitForRequest((r) => r.url().includes("/evidence"));
    const file = page.waitForEvent("download");
    await make();
    const query = new URL((await asked).url()).searchParams;
    expect([query.get("from"), query.get("to")]).toEqual(["2026-11-01T00:00:00.000Z", "2026-11-08T00:00:00.000Z"]);
    expect((await file).suggestedFilename()).toBe("halley-evidence-place-1-20261101T0000Z-20261108T0000Z.zip");
    await expect.poll(() => page.locator(".said").innerText()).toMatch(/^The file has been saved, /);
  });

  it("that cannot be made says so", async () => {
    await open("/places/1", { noEvidence: true });
    await make();
    await expect.poll(() => page.locator(".said[role=alert]").innerText()).toBe("The file could not be made.");
  });
});

describe("the audit trail", () => {
  const trail = () => page.locator("table.trail tbody tr");

  it("is listed newest first, with acts in words and hostile text made visible", async () => {
    await open("/audit");
    await trail().first().waitFor();
    expect(await trail().first().innerText()).toMatch(/first administrator\s+Signed in/);
    const text = await page.locator("table.trail").innerText();
    expect(text).toMatch(/policy\s+by policy/);
    expect(text).toMatch(/Device renamed\s+device 1, Cold room 1\s+name 00000001\s+→/);
    expect(text).toContain("something.new");
    expect(text).toContain("⟨U+202E⟩back soon");
    await visitor.accessible();
    await visitor.shot("audit");
  });

  it("goes on as it is scrolled, to its end", async () => {
    await open("/audit");
    await trail().first().waitFor();
    await expect
      .poll(async () => {
        await page.keyboard.press("End");
        return trail().count();
      })
      .toBe(241);
    expect(await page.getByRole("button", { name: "Older entries" }).count()).toBe(0);
  });

  it("is filtered by who, what, on what and when, and the address keeps it", async () => {
    await open("/audit");
    await trail().first().waitFor();
    const form = page.getByRole("search");
    await form.getByLabel("Who").fill("policy");
    await form.getByLabel("What was done").selectOption({ label: "Device accepted" });
    await form.getByRole("button", { name: "Show", exact: true }).click();
    await page.waitForURL("**/audit?who=policy&what=device.accept");
    await expect.poll(async () => new Set(await trail().locator("td:nth-child(3)").allInnerTexts())).toEqual(new Set(["Device accepted"]));
    await form.getByLabel("From").fill("2020-01-01");
    await form.getByLabel("To, included").fill("2020-01-02");
    await form.getByRole("button", { name: "Show", exact: true }).click();
    await expect.poll(() => page.getByText("Nothing fits.").count()).toBe(1);
    await form.getByRole("button", { name: "Show all" }).click();
    await page.waitForURL((url) => url.search === "");
    await expect.poll(() => trail().count()).toBeGreaterThan(50);
  });

  it("is saved whole as CSV, as far as it fits", async () => {
    await open("/audit?who=policy");
    const file = page.waitForEvent("download");
    await page.getByRole("button", { name: "Save as CSV" }).click();
    expect((await file).suggestedFilename()).toMatch(/^halley-audit-\d{8}T\d{4}Z\.csv$/);
    const stream = await (await file).createReadStream();
    let text = "";
    for await (const part of stream) text += String(part);
    expect(text.trimEnd().split("\n")).toHaveLength(49);
    await expect.poll(() => page.locator(".files .said").innerText()).toMatch(/^The file has been saved, /);
  });

  it("is printed without what is only for the screen", async () => {
    await open("/audit");
    await trail().first().waitFor();
    await page.emulateMedia({ media: "print" });
    expect(await page.locator("header").isVisible()).toBe(false);
    expect(await page.locator("form.filters").isVisible()).toBe(false);
    expect(await trail().first().isVisible()).toBe(true);
    await visitor.shot("audit-print");
  });
});

/** The rules ask each row the same again: some are enough. */
const few = 10;

const narrow = { viewport: { width: 320, height: 640 } };

describe("on a phone", () => {
  it.each([
    ["/completeness", ".heat a.day"],
    ["/proof", ".results tbody tr"],
    ["/audit", ".trail tbody tr"],
    ["/", ".proofline"],
    ["/completeness/4/today", ".gaps tbody tr"],
  ])("%s needs no sideways scroll", async (path, part) => {
    await open(path.replace("today", iso(Date.now()).slice(0, 10)), { size: few, proof: wanting() }, narrow);
    await page.locator(part).first().waitFor();
    await visitor.fitsWidth();
    await visitor.accessible();
    await visitor.shot(`phone-proof${path.replaceAll("/", "-")}`);
  });
});

describe("in the dark", () => {
  it.each([
    ["/completeness", ".heat a.day"],
    ["/proof", ".results tbody tr"],
    ["/audit", ".trail tbody tr"],
    ["/", ".proof-needs"],
    ["/completeness/4/today", ".gaps tbody tr"],
  ])("%s breaks no rule of accessibility", async (path, part) => {
    await open(path.replace("today", iso(Date.now()).slice(0, 10)), { size: few, proof: wanting() }, { colorScheme: "dark" });
    await page.locator(part).first().waitFor();
    await visitor.accessible();
    await visitor.shot(`dark-proof${path.replaceAll("/", "-")}`);
  });
});
