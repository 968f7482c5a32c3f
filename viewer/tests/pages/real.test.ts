import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { totp } from "../fixture/totp";
import { launch, Visitor } from "./browser";
import { Keys } from "./keys";

// One way through the whole: from a server without accounts to what an administrator does in the first hour, by keys alone, and
// what those who were asked in see. Only against the program itself, which HALLEY_FRESH_URL and HALLEY_FRESH_SECRET name; it must
// have no account, and two devices at places.

const origin = process.env["HALLEY_FRESH_URL"] ?? "http://HALLEY_FRESH_URL-names-no-server.invalid";
const secret = process.env["HALLEY_FRESH_SECRET"] ?? "";

const administrator = { name: "edmond", password: "Comet-1P-Halley" };
const invited = { name: "caroline", password: "Comet-35P-Herschel" };

interface Place {
  id: number;
  name: string;
  device_ids: number[];
}

describe("the first hour on the program itself", () => {
  let browser: Browser;
  let visitor: Visitor;
  let page: Page;
  let keys: Keys;
  const guests: Visitor[] = [];

  beforeAll(async () => {
    browser = await launch();
    visitor = await Visitor.open(browser, new URL(origin).origin);
    page = visitor.page;
    keys = new Keys(page);
  });
  afterAll(async () => {
    await visitor.leave();
    await browser.close();
  });
  afterEach(async () => {
    for (const guest of guests.splice(0)) await guest.leave();
  });

  const inside = (of = page) => of.locator("header nav").first().waitFor();
  const dialog = (of = page) => of.getByRole("dialog");
  const closed = () => dialog().waitFor({ state: "detached" });
  /** Goes to one of the pages of administration by its menu. */
  const administration = async (name: string) => {
    await keys.take("Administration");
    await keys.take(name);
    await page.locator("main h1").waitFor();
  };
  const choosePassword = async (by: Keys, password: string) => {
    await by.write("New password", password);
    await by.write("The same again", password);
    await by.page.keyboard.press("Enter");
  };

  it("begins with the address that the server wrote down", async () => {
    await page.goto(`/#first=${secret}`);
    await expect.poll(() => visitor.heading()).toBe("Create the administrator");
    await keys.write("Name", administrator.name);
    await choosePassword(keys, administrator.password);
    await inside();
    expect(await page.locator("header .who").innerText()).toBe(administrator.name);
  });

  it("shows an organization in the picker as soon as it is added", async () => {
    await administration("Organizations");
    await keys.take("Add an organization…");
    await dialog().waitFor();
    await keys.write("Name", "Royal Observatory");
    await page.keyboard.press("Enter");
    await closed();
    await page.getByRole("link", { name: "Royal Observatory" }).waitFor();
    await keys.take(/choose an organization$/);
    await page.getByRole("tree", { name: "Organizations" }).getByRole("treeitem").filter({ hasText: "Royal Observatory" }).waitFor();
    await page.keyboard.press("Escape");
    await closed();
  });

  it("asks somebody in, who opens the link, sets a password and is signed in", async () => {
    await administration("People");
    await keys.take("Invite…");
    await dialog().waitFor();
    await keys.write("Name", invited.name);
    await keys.choose("Role", "Guest");
    await keys.take("Change Counts at");
    await expect.poll(() => keys.at()).toBe("Find an organization");
    await page.keyboard.type("Royal");
    await page.keyboard.press("Enter");
    await expect.poll(() => keys.at(), { message: "the focus is back on what opened the tree" }).toBe("Change Counts at");
    await keys.take("Make the link");
    const link = await dialog().getByRole("group", { name: "Link" }).innerText();
    await keys.take("Close");
    await page.getByRole("link", { name: invited.name }).waitFor();

    const guest = await Visitor.open(browser, visitor.origin);
    guests.push(guest);
    await guest.page.goto(`/${new URL(link.trim()).hash}`);
    await expect.poll(() => guest.heading()).toBe("Welcome");
    await choosePassword(new Keys(guest.page), invited.password);
    await inside(guest.page);
    expect(await guest.page.locator("header .who").innerText()).toBe(invited.name);
    // A guest sees nothing of the installation itself, and the page stands without what the server does not tell.
    expect(await ways(guest.page)).toEqual(["Overview", "Places", "Devices", "Completeness"]);
    for (const at of ["/", "/places", "/devices", "/server"]) {
      await guest.go(at);
      await guest.accessible();
      await guest.shot(`guest of nothing ${at.slice(1)}`);
    }
  });

  it("sets up the second step, and asks for it from then on", async () => {
    await keys.take(administrator.name);
    await expect.poll(() => visitor.heading()).toBe("Your account");
    await keys.take("Add an authenticator app…");
    await keys.take("Begin");
    const shown = (await page.locator("code.grouped").innerText()).replace(/\s/g, "");
    const used = totp(shown);
    await expect.poll(() => keys.at()).toBe("Code that the app shows");
    await page.keyboard.type(used);
    await page.keyboard.press("Enter");
    await expect.poll(() => page.locator(".codes li").count()).toBe(10);
    await keys.tick("I have kept them");
    await keys.take("Done");
    await keys.take("Sign out");
    await expect.poll(() => visitor.heading()).toBe("Sign in");
    await keys.write("Name", administrator.name);
    await keys.write("Password", administrator.password);
    await page.keyboard.press("Enter");
    await expect.poll(() => visitor.heading()).toBe("Second step");
    // Each code works once, so the next one is waited for.
    await expect.poll(() => totp(shown), { timeout: 40_000, interval: 500 }).not.toBe(used);
    await keys.write("Code of the authenticator app", totp(shown));
    await page.keyboard.press("Enter");
    await inside();
  }, 120_000);

  it("shows a place, and opens the swap of its device", async () => {
    await visitor.go("/");
    await page.locator("a.tile").first().waitFor();
    await keys.take(new RegExp(`^(${(await places()).map((p) => p.name).join("|")})`));
    await page.waitForURL("**/places/*");
    await page.locator(".plot canvas").first().waitFor();
    await visitor.accessible();
    await keys.take("Swap a device…");
    await dialog().waitFor();
    await visitor.accessible("dialog");
    await page.keyboard.press("Escape");
    await closed();
    await expect.poll(() => keys.at()).toBe("Swap a device…");
  });

  it("has all of it in the audit trail, by name", async () => {
    await administration("Audit trail");
    const trail = () => page.locator("table.trail").innerText();
    await expect.poll(trail).toContain(invited.name);
    for (const said of [administrator.name, "Royal Observatory"]) expect(await trail()).toContain(said);
  });

  // What others see. They are asked in by the API; what is tried is what they come to.

  /** What the page says. */
  const said = (of: Visitor) => of.page.locator("main").innerText();
  const ways = (of: Page) => of.getByRole("navigation", { name: "Main" }).locator("a, button").allInnerTexts();
  const places = async () => ((await (await visitor.context.request.get("/api/v1/places")).json()) as { places: Place[] }).places;
  /** Somebody new with one role, signed in. */
  const comes = async (name: string, grant: { role: string; organization_id: number; place_id?: number }): Promise<Visitor> => {
    const made = await visitor.context.request.post("/api/v1/people", { data: { name, organization_id: grant.organization_id, grants: [grant] } });
    expect(made.status(), await made.text()).toBe(201);
    const { link } = (await made.json()) as { link: string };
    const guest = await Visitor.open(browser, visitor.origin);
    guests.push(guest);
    const entered = await guest.context.request.post("/api/v1/links", { data: { secret: new URL(link).hash.replace("#link=", ""), password: invited.password } });
    expect(entered.status(), await entered.text()).toBeLessThan(300);
    await guest.go("/");
    await inside(guest.page);
    return guest;
  };

  it("shows one place and nothing else to whoever may see that one", async () => {
    const [theirs, other] = await places();
    const guest = await comes("johann", { role: "view-by-measured-places", organization_id: 1, place_id: theirs!.id });
    await expect.poll(() => guest.page.locator("a.tile").count()).toBe(1);
    expect(await guest.page.locator("a.tile").getAttribute("href")).toBe(`/places/${theirs!.id}`);
    expect(await ways(guest.page)).toEqual(["Overview", "Places", "Completeness"]);
    await guest.accessible();
    await guest.shot("one place overview");
    const by = new Keys(guest.page);
    await by.take(new RegExp(`^${theirs!.name}`));
    await expect.poll(() => guest.heading()).toContain(theirs!.name);
    await guest.page.locator(".plot canvas").first().waitFor();
    expect(await guest.page.locator("main button").filter({ hasText: /…$/ }).allInnerTexts(), "nothing to change").toEqual(["Dates…"]);
    await guest.accessible();
    await guest.shot("one place");
    // Its device may be looked at; another one, and another place, answer as what never was.
    for (const [there, never] of [[`/places/${other!.id}`, "/places/999999"], [`/devices/${other!.device_ids[0]}`, "/devices/999999"]] as const) {
      await guest.go(never);
      const words = await said(guest);
      await guest.go(there);
      expect((await said(guest)).replaceAll(String(other!.id), "999999"), there).toBe(words);
      expect(words).not.toContain(other!.name);
    }
    await guest.shot("one place not another");
    for (const at of ["/places", "/devices", "/completeness", "/server", "/people", "/audit", "/proof", "/organizations"]) {
      await guest.go(at);
      expect(await said(guest), at).not.toContain(other!.name);
      await guest.shot(`one place at ${at.slice(1)}`);
    }
    const status = (await (await guest.context.request.get("/api/v1/status")).json()) as Record<string, unknown>;
    for (const name of ["node", "journal", "nodes", "listeners", "quarantine", "unrecognized"]) expect(status[name], name).toBeNull();
    expect(status["devices"]).toMatchObject({ accepted: 1 });
    // Who changes nothing anywhere learns from the answer that they may not, and nothing of the place.
    const taken = await guest.context.request.patch(`/api/v1/places/${other!.id}`, { data: { name: "Mine", why: "I would like to have it." } });
    const never = await guest.context.request.patch("/api/v1/places/999999", { data: { name: "Mine", why: "I would like to have it." } });
    expect([taken.status(), never.status()], "changing the place of others").toEqual([403, 403]);
  });

  it("shows the server and no values to whoever looks after the server", async () => {
    const all = await places();
    const guest = await comes("service", { role: "service-administrator", organization_id: 1 });
    expect(await ways(guest.page)).toEqual(["Overview", "Proof", "Administration"]);
    expect(await guest.page.locator("a.tile").count()).toBe(0);
    await guest.accessible();
    await guest.shot("service overview");
    await guest.go("/server");
    await expect.poll(() => guest.page.locator("main").innerText()).toContain("Journal");
    await guest.accessible();
    await guest.shot("service server");
    for (const at of ["/", "/proof", "/usage", "/places", `/places/${all[0]!.id}`, `/devices/${all[0]!.device_ids[0]}`, "/completeness"]) {
      await guest.go(at);
      for (const { name } of all) expect(await said(guest), at).not.toContain(name);
      await guest.shot(`service at ${at.slice(1).replaceAll("/", " ")}`);
    }
    expect((await guest.context.request.get("/api/v1/latest")).status()).toBe(403);
  });

  it("shows a place below to whoever is a guest there, and only that", async () => {
    const [stays, moved] = await places();
    const put = await visitor.context.request.patch(`/api/v1/places/${moved!.id}`, { data: { organization_id: 2, why: "The observatory has taken it over." } });
    expect(put.status(), await put.text()).toBe(200);
    const guest = await comes("william", { role: "guest", organization_id: 2 });
    await expect.poll(() => guest.page.locator("a.tile").count()).toBe(1);
    expect(await guest.page.locator("main").innerText()).toContain(moved!.name);
    expect(await guest.page.locator("main").innerText()).not.toContain(stays!.name);
    await guest.accessible();
    await guest.shot("below overview");
    await guest.go(`/places/${moved!.id}`);
    await guest.accessible();
    await guest.shot("below place");
  });

  it("asks by itself for nothing that would be refused, and be in the audit trail as a refusal", async () => {
    const [, other] = await places();
    // What is audited lies in the journal first.
    const flushed = await visitor.context.request.post("/api/v1/journal/flush");
    expect(flushed.status(), await flushed.text()).toBe(200);
    const audit = await visitor.context.request.get("/api/v1/audit?what=access.refuse&limit=500");
    const { entries } = (await audit.json()) as { entries: { who: string; on: string }[] };
    const quiet = [administrator.name, "william"];
    expect(entries.filter((e) => quiet.includes(e.who))).toEqual([]);
    // Who would change what is of others is seen.
    expect(entries.filter((e) => e.who === "johann").map((e) => e.on)).toContain(`place ${other!.id}`);
  });
});
