import { describe, expect, it } from "vitest";
import { hostileName } from "../fixture/fleet";
import { Fixture, type FixtureOptions } from "../fixture/server";
import { enter, fixture, page, stage, visitor } from "./stage";

// States that a real server cannot be brought into on demand: they are shown against the fixture.

stage();

async function open(options: FixtureOptions = {}, path = "/"): Promise<void> {
  await enter(options);
  await visitor.go(path);
  if (path.startsWith("/#")) await page.locator(".facts").first().waitFor();
}

describe("signing in", () => {
  it("by an address of a first sign-in that is over cleans the address and opens the overview", async () => {
    await open({}, `/#first=${Fixture.secret}`);
    expect(await visitor.heading()).not.toBe("Sign in");
    expect(page.url()).toBe(`${fixture.url}/`);
  });

  it("ends with signing out", async () => {
    await open();
    await page.getByRole("button", { name: "Sign out" }).click();
    await expect.poll(() => visitor.heading()).toBe("Sign in");
  });
});

describe("the overview", () => {
  it("turns grey with a sentence when the stream is cut, and comes back by itself", async () => {
    await open();
    await visitor.heading();
    fixture.cutStreams();
    await expect.poll(() => page.getByRole("alert").innerText()).toMatch(/stream from the server is cut/);
    expect(await page.locator("main.stale").count()).toBe(1);
    await expect.poll(() => page.locator(".facts").first().innerText()).toMatch(/Not live, as of/);
    const stopped = await page.locator(".facts b").first().innerText();
    await visitor.accessible();
    await visitor.shot("cut");
    await page.waitForTimeout(2_500);
    expect(await page.locator(".facts b").first().innerText()).toBe(stopped);
    fixture.letStreamsIn();
    // The waits between the tries grow to twenty-five seconds.
    await expect.poll(() => page.locator("main.stale").count(), { timeout: 45_000 }).toBe(0);
  });

  it("says when the server cannot be reached", async () => {
    await open();
    await visitor.heading();
    await page.route("**/api/**", (route) => route.abort());
    fixture.cutStreams();
    await expect.poll(() => page.getByRole("alert").innerText()).toMatch(/cannot be reached/);
    expect(await page.locator("main.stale").count()).toBe(1);
  });

  it("shows a live value and the change of state that it brings", async () => {
    await open();
    await visitor.heading();
    const silent = page.locator("a.tile.silent");
    await silent.waitFor();
    const now = new Date().toISOString();
    fixture.say("message", { device_id: 4, measured_at: now, received_at: now, interval: 60, late: false, values: [{ channel_id: 40, value: 33.3, quality: "good" }] });
    await expect.poll(() => page.locator("a.tile", { hasText: "Dock door east" }).innerText()).toContain("33.3");
    await expect.poll(() => silent.count()).toBe(0);
    expect(await visitor.heading()).not.toContain("silent");
  });

  it("shows each state in words, the gravest first", async () => {
    await open();
    await visitor.heading();
    const attention = page.getByRole("region", { name: /Needs attention/ }).locator("a.tile");
    const texts = await attention.allInnerTexts();
    expect(texts.map((text) => /device alarm 1: high|sensor error 53|Silent\. Expected every 60 s, last heard|nothing has been received yet/.exec(text)?.[0])).toEqual([
      "device alarm 1: high",
      "sensor error 53",
      "Silent. Expected every 60 s, last heard",
      "nothing has been received yet",
    ]);
    expect(await visitor.heading()).toBe("20 places reporting, 1 in device alarm, 1 with a sensor error, 1 silent, 1 not heard yet, no limits set");
  });

  it("asks for at most four curves at once, and only for those in sight", async () => {
    await open({ size: 1000 });
    await visitor.heading();
    const asked: string[] = [];
    page.on("request", (r) => r.url().includes("/samples") && asked.push(r.url()));
    await page.locator("a.tile .trend path").first().waitFor();
    await page.waitForTimeout(1_500);
    expect(fixture.mostAtOnce).toBeLessThanOrEqual(4);
    expect(asked.length).toBeLessThan(80);
  });

  it("stays quick with a thousand devices", async () => {
    await open({ size: 1000 });
    await visitor.heading();
    await page.locator("a.tile").first().waitFor();
    expect(await page.locator("a.tile").count()).toBeLessThanOrEqual(180);
    await visitor.shot("thousand");
    await page.getByRole("searchbox").fill("Room 777");
    await expect.poll(() => page.locator("section[aria-labelledby=all] a.tile").count()).toBe(1);
  });

  it("makes hostile names visible and harmless", async () => {
    await open();
    await visitor.heading();
    const name = await page.locator("a.tile bdi").filter({ hasText: "onerror" }).innerText();
    expect(name).toBe(hostileName.replace("\u202E", "⟨U+202E⟩").replace("\u202C", "⟨U+202C⟩").replace("\u0007", "⟨U+0007⟩"));
    expect(await page.locator("main img").count()).toBe(0);
    expect(await page.title()).toBe("Overview · Halley");
  });

  it("says what the server has to say, and never well", async () => {
    await open({ status: { state: "failing", messages: [{ code: "journal-full", severity: "failing", text: "The disk is full: devices are answered “not stored”. Make room." }] } });
    await visitor.heading();
    expect(await page.locator(".messages").innerText()).toContain("Make room.");
    await visitor.accessible();
    await visitor.shot("failing");
  });
});

it("a fleet that is empty says how to begin", async () => {
  await open({ size: 0, waiting: 0 });
  await expect.poll(() => visitor.heading()).toBe("No device has been accepted yet");
  await page.getByRole("link", { name: "How to connect a device" }).click();
  await expect.poll(() => page.locator("main").innerText()).toMatch(/0\.0\.0\.0:8081/);
  await visitor.accessible();
  await visitor.shot("empty");
});

it("a reader looks and decides nothing", async () => {
  await open({ role: "reader" });
  await visitor.heading();
  await page.getByRole("navigation").getByRole("link", { name: "New devices" }).click();
  await page.locator("li.newdevice").first().waitFor();
  expect(await page.getByRole("button", { name: /Accept|Reject/ }).count()).toBe(0);
  expect(await page.getByText("not decide").count()).toBe(1);
});

describe("a device", () => {
  it("shows a gap as a gap, says how much is missing and why", async () => {
    await open({}, "/devices/3");
    await visitor.charted();
    const words = await page.locator(".legend.completeness b").innerText();
    expect(words).toMatch(/^Received 1,1[34]\d of 1,4[34]\d, 60 late, 300 missing: cause not known$/);
    expect(await page.locator("svg.band .missing").count()).toBe(1);
    expect(await page.getByRole("group", { name: "What is missing" }).innerText()).toMatch(/5 h\s+300\s+cause not known/);
    expect(await page.getByRole("group", { name: /not simply good/ }).innerText()).toMatch(/60\s+good, arrived late/);
    await visitor.shot("gap");
  });

  it("lists samples without a value", async () => {
    await open({}, "/devices/8?channels=81");
    await visitor.charted();
    expect(await page.getByRole("group", { name: /not simply good/ }).innerText()).toContain("sensor error 53");
    await page.getByRole("button", { name: "Table", exact: true }).click();
    expect(await page.locator(".series-table tbody tr").first().innerText()).toContain("sensor error 53");
    await visitor.shot("error");
  });

  it("shows channels of different units one above the other", async () => {
    await open({}, "/devices/1?channels=10,11,12");
    await visitor.charted();
    await expect.poll(() => page.locator(".plot canvas").count()).toBe(2);
    await visitor.accessible();
    await visitor.shot("channels");
  });

  it("keeps the tokens of its last message, and its secrets out of sight", async () => {
    await open({}, "/devices/1");
    const body = page.locator("pre");
    await body.waitFor();
    expect(await body.innerText()).toContain('"Val": 20.10');
    expect(await body.innerText()).toContain("⟨U+202E⟩txt <b>");
    await page.getByRole("button", { name: "Exact text" }).click();
    expect(await body.innerText()).toContain('"Val":20.10');
  });

  it("that does not exist says so", async () => {
    await open({}, "/devices/99999");
    await expect.poll(() => page.getByRole("alert").innerText()).toContain("There is no such thing.");
  });

  it("is suspended with a reason", async () => {
    await open({}, "/devices/1");
    await page.getByRole("button", { name: "Suspend…" }).click();
    await page.getByRole("dialog").getByLabel("Reason").fill("moved to another room");
    await page.getByRole("dialog").getByRole("button", { name: "Suspend" }).click();
    await expect.poll(() => page.locator(".verdict .state").innerText()).toBe("Suspended");
    expect(fixture.fleet.reasons.get(1)).toBe("moved to another room");
  });
});

it("a body that nobody recognised is shown as text", async () => {
  await open({}, "/server");
  await page.locator("summary").click();
  expect(await page.locator("pre").innerText()).toBe("temp=20.1&<script>alert(1)</script>");
});
