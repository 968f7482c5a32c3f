import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import { totp } from "../fixture/totp";
import { launch, Visitor } from "./browser";

// One way through the whole: from a server without accounts to what an administrator does in the first hour. Only against the
// program itself, which HALLEY_FRESH_URL and HALLEY_FRESH_SECRET name; it must have no account, and a device at a place.

const origin = process.env["HALLEY_FRESH_URL"] ?? "";
const secret = process.env["HALLEY_FRESH_SECRET"] ?? "";

const administrator = { name: "edmond", password: "Comet-1P-Halley" };
const invited = { name: "caroline", password: "Comet-35P-Herschel" };

describe.skipIf(origin === "" || !inject("real"))("the first hour on the program itself", () => {
  let browser: Browser;
  let visitor: Visitor;
  let page: Page;
  const guests: Visitor[] = [];

  beforeAll(async () => {
    browser = await launch();
    visitor = await Visitor.open(browser, new URL(origin).origin);
    page = visitor.page;
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
  /** Goes to one of the pages of administration by its menu. */
  const administration = async (name: string) => {
    await page.getByRole("button", { name: "Administration" }).click();
    await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name, exact: true }).click();
    await page.locator("main h1").waitFor();
  };
  const signIn = async (of: Page, who: { name: string; password: string }) => {
    await of.getByLabel("Name", { exact: true }).fill(who.name);
    await of.getByLabel("Password", { exact: true }).fill(who.password);
    await of.getByRole("button", { name: "Sign in", exact: true }).click();
  };
  const choosePassword = async (of: Page, password: string) => {
    await of.getByLabel("New password").fill(password);
    await of.getByLabel("The same again").fill(password);
  };

  it("begins with the address that the server wrote down", async () => {
    await page.goto(`/#first=${secret}`);
    await expect.poll(() => visitor.heading()).toBe("Create the administrator");
    await page.getByLabel("Name", { exact: true }).fill(administrator.name);
    await choosePassword(page, administrator.password);
    await page.getByRole("button", { name: "Create and sign in" }).click();
    await inside();
    expect(await page.locator("header .who").innerText()).toBe(administrator.name);
  });

  it("shows an organization in the picker as soon as it is added", async () => {
    await administration("Organizations");
    await page.getByRole("button", { name: "Add an organization", exact: true }).click();
    await dialog().getByLabel("Name", { exact: true }).fill("Royal Observatory");
    await dialog().getByRole("button", { name: "Add", exact: true }).click();
    await dialog().waitFor({ state: "detached" });
    await page.getByRole("link", { name: "Royal Observatory" }).waitFor();
    await page.locator("header .org").click();
    await page.getByRole("tree", { name: "Organizations" }).getByRole("treeitem").filter({ hasText: "Royal Observatory" }).waitFor();
    await page.keyboard.press("Escape");
    await dialog().waitFor({ state: "detached" });
  });

  it("asks somebody in, who opens the link, sets a password and is signed in", async () => {
    await administration("People");
    await page.getByRole("button", { name: "Invite…" }).click();
    await dialog().getByLabel("Name", { exact: true }).fill(invited.name);
    await dialog().getByLabel("Role", { exact: true }).selectOption({ label: "Guest" });
    await dialog().getByRole("button", { name: "Change Counts at" }).click();
    await dialog().getByRole("treeitem").filter({ hasText: "Royal Observatory" }).click();
    await dialog().getByRole("button", { name: "Make the link" }).click();
    const link = await dialog().getByRole("group", { name: "Link" }).innerText();
    await dialog().getByRole("button", { name: "Close" }).click();
    await page.getByRole("link", { name: invited.name }).waitFor();

    const guest = await Visitor.open(browser, visitor.origin);
    guests.push(guest);
    const url = new URL(link.trim());
    await guest.page.goto(`/${url.hash}`);
    await expect.poll(() => guest.heading()).toBe("Welcome");
    await choosePassword(guest.page, invited.password);
    await guest.page.getByRole("button", { name: "Set the password and sign in" }).click();
    await inside(guest.page);
    expect(await guest.page.locator("header .who").innerText()).toBe(invited.name);
    // A guest sees nothing of the installation itself, and the page stands without what the server does not tell.
    expect(await guest.page.getByRole("button", { name: "Administration" }).count()).toBe(0);
    for (const at of ["/", "/places", "/devices", "/server"]) {
      await guest.go(at);
      await guest.accessible();
    }
  });

  it("sets up the second step, and asks for it from then on", async () => {
    await visitor.go("/account");
    await page.getByRole("button", { name: "Add an authenticator app…" }).click();
    await page.getByRole("button", { name: "Begin" }).click();
    const shown = (await page.locator("code.grouped").innerText()).replace(/\s/g, "");
    const used = totp(shown);
    await page.getByLabel("Code that the app shows").fill(used);
    await page.getByRole("button", { name: "Confirm" }).click();
    await expect.poll(() => page.locator(".codes li").count()).toBe(10);
    await page.getByLabel("I have kept them").check();
    await page.getByRole("button", { name: "Done" }).click();
    await page.getByRole("button", { name: "Sign out", exact: true }).click();
    await signIn(page, administrator);
    await expect.poll(() => visitor.heading()).toBe("Second step");
    // Each code works once, so the next one is waited for.
    await expect.poll(() => totp(shown), { timeout: 40_000, interval: 500 }).not.toBe(used);
    await page.getByLabel("Code of the authenticator app").fill(totp(shown));
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await inside();
  }, 120_000);

  it("shows a place, and opens the swap of its device", async () => {
    await visitor.go("/");
    await page.locator("a.tile").first().click();
    await page.waitForURL("**/places/*");
    await page.locator(".plot canvas").first().waitFor();
    await visitor.accessible();
    await page.getByRole("button", { name: "Swap a device…" }).click();
    await dialog().waitFor();
    await visitor.accessible();
    await page.keyboard.press("Escape");
    await dialog().waitFor({ state: "detached" });
  });

  it("has all of it in the audit trail, by name", async () => {
    await administration("Audit trail");
    const trail = () => page.locator("table.trail").innerText();
    await expect.poll(trail).toContain(invited.name);
    for (const said of [administrator.name, "Royal Observatory"]) expect(await trail()).toContain(said);
  });
});
