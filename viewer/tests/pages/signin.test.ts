import type { BrowserContextOptions } from "playwright-core";
import { describe, expect, it } from "vitest";
import { People } from "../fixture/people";
import { Fixture, type FixtureOptions } from "../fixture/server";
import { totp } from "../fixture/totp";
import { arrive, fixture, page, stage, visitor } from "./stage";

// Coming in, proving who one is, and going out again: by name and password, with a second step, by a link, after a while without
// activity. Against the fixture, which can be brought into any of these states.

stage();

const tidy = async (name: string) => {
  await visitor.accessible();
  await visitor.fitsWidth();
  await visitor.shot(name);
};

async function open(options: FixtureOptions = {}, path = "/", visit: BrowserContextOptions = {}): Promise<void> {
  await arrive(options, visit);
  await page.goto(path);
}

/** As open, in a browser whose clock can be set forward. */
async function openWithClock(options: FixtureOptions, path: string): Promise<void> {
  await arrive(options);
  await page.clock.install();
  await page.goto(path);
}

const signIn = async (name = "eva", password = People.password) => {
  await page.getByLabel("Name", { exact: true }).fill(name);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.keyboard.press("Enter");
};
const inside = () => page.locator("header nav").first().waitFor();
const button = (name: string | RegExp) => page.getByRole("button", { name });
const alert = () => page.getByRole("alert");

describe("the first start", () => {
  const choose = async (password: string, again = password) => {
    await page.getByLabel("New password").fill(password);
    await page.getByLabel("The same again").fill(again);
  };

  it("makes the administrator of whoever has the address that the server wrote down", async () => {
    await open({ accounts: "none" }, `/#first=${Fixture.secret}`);
    await expect.poll(() => visitor.heading()).toBe("Create the administrator");
    expect(page.url()).not.toContain(Fixture.secret);
    expect(await page.getByLabel("Secret").count()).toBe(0);
    await page.getByLabel("Name", { exact: true }).fill("admin");
    await choose("secret", "secreT");
    await expect.poll(() => page.locator(".needs .met").count()).toBe(0);
    await expect.poll(() => page.getByText("The two are not the same.").isVisible()).toBe(true);
    expect(await button("Create and sign in").isDisabled()).toBe(true);
    await choose("Secret-42");
    await expect.poll(() => page.locator(".needs .met").count()).toBe(4);
    await tidy("first");
    await page.getByLabel("Show what I write").check();
    expect(await page.getByLabel("New password").getAttribute("type")).toBe("text");
    await button("Create and sign in").click();
    await inside();
    expect(await page.locator("header .who").innerText()).toBe("admin");
  });

  it("takes the secret, or the whole address, by hand, and says where it is", async () => {
    await open({ accounts: "none" }, "/devices");
    await expect.poll(() => visitor.heading()).toBe("Create the administrator");
    const text = await page.locator("main").innerText();
    for (const place of ["halley-data/first-sign-in.txt", "/var/lib/halley/first-sign-in.txt", "halley user first"]) expect(text).toContain(place);
    await tidy("first-by-hand");
    await page.getByLabel("Secret from").fill("wrong");
    await page.getByLabel("Name", { exact: true }).fill("admin");
    await choose("Password1!");
    await page.keyboard.press("Enter");
    await expect.poll(() => alert().innerText()).toMatch(/wrong, used or older/);
    await page.getByLabel("Secret from").fill(`${fixture.url}/#first=${Fixture.secret}`);
    await page.keyboard.press("Enter");
    await expect.poll(() => alert().innerText()).toMatch(/list of common ones/);
    await choose("Not-so-common-7");
    await page.keyboard.press("Enter");
    await inside();
    expect(new URL(page.url()).pathname).toBe("/devices");
  });

  it("is over once there is an account", async () => {
    await open({}, `/#first=${Fixture.secret}`);
    await expect.poll(() => visitor.heading()).toBe("Sign in");
  });
});

describe("signing in", () => {
  it("asks for name and password, and leads to the page that was asked for", async () => {
    await open({}, "/devices?state=accepted");
    await expect.poll(() => visitor.heading()).toBe("Sign in");
    await page.getByLabel("Name", { exact: true }).waitFor();
    await tidy("signin");
    await signIn("eva", "wrong");
    await expect.poll(() => alert().innerText()).toBe("The name or the password is wrong.");
    await visitor.accessible();
    await signIn("nobody at all");
    await expect.poll(() => alert().innerText()).toBe("The name or the password is wrong.");
    await page.getByRole("button", { name: "Show", exact: true }).click();
    expect(await page.getByLabel("Password", { exact: true }).getAttribute("type")).toBe("text");
    await signIn("EVA");
    await inside();
    expect(new URL(page.url()).pathname).toBe("/devices");
    await page.getByRole("button", { name: "Sign out" }).click();
    await expect.poll(() => visitor.heading()).toBe("Sign in");
  });

  it("is slowed when it is tried too often", async () => {
    await open();
    for (let n = 0; n < 6; n++) {
      await signIn("eva", `wrong ${n}`);
      await expect.poll(() => alert().innerText()).toMatch(n < 5 ? /is wrong/ : /Too many attempts/);
    }
  });

  it("offers the company's sign-in, and says when that did not work", async () => {
    await open({ oidc: [{ id: "main", name: "Company <b>" }], resetByMail: true }, "/proof#sign-in=refused");
    await expect.poll(() => alert().innerText()).toMatch(/Signing in elsewhere did not work/);
    expect(page.url()).not.toContain("#");
    const link = page.getByRole("link", { name: "Sign in with Company <b>" });
    expect(await link.getAttribute("href")).toBe("/api/v1/session/oidc/main?to=%2Fproof");
    await tidy("signin-company");
  });

  it("has a link sent to whoever forgot the password, and never says whether there is such an account", async () => {
    await open({ resetByMail: true });
    await button("I forgot my password").click();
    await page.getByLabel("Name", { exact: true }).fill("nobody");
    await tidy("forgot");
    await button("Send me a link").click();
    await expect.poll(() => page.getByRole("status").innerText()).toMatch(/If there is an account/);
    await button("Back to signing in").click();
    await expect.poll(() => visitor.heading()).toBe("Sign in");
  });

  it("of another person in the same tab shows nothing of what the first one saw", async () => {
    await open({}, "/people/2");
    await signIn();
    await expect.poll(() => visitor.heading()).toBe("Petr Svoboda");
    await page.getByRole("button", { name: "Sign out" }).click();
    await expect.poll(() => visitor.heading()).toBe("Sign in");
    expect(await page.locator("body").innerText()).not.toContain("Petr");
    await signIn("wall");
    await inside();
    await expect.poll(() => new URL(page.url()).pathname).toBe("/");
    expect(await page.getByRole("button", { name: "Administration" }).count()).toBe(0);
  });
});

describe("a second step", () => {
  it("that a role needs is set up before anything else, and asked for from then on", async () => {
    await open({ factorRequired: true }, "/devices");
    await signIn();
    await expect.poll(() => visitor.heading()).toBe("Set up a second step");
    expect(await page.locator("header nav").count()).toBe(0);
    await visitor.accessible();
    await button("Begin").click();
    const picture = page.getByRole("img", { name: /QR code/ });
    await picture.waitFor();
    expect(await picture.evaluate((img: HTMLImageElement) => img.complete && img.naturalWidth > 0)).toBe(true);
    const secret = (await page.locator("code.grouped").innerText()).replace(/\s/g, "");
    await tidy("enrol");
    await page.getByLabel("Code that the app shows").fill("000000");
    await button("Confirm").click();
    await expect.poll(() => alert().innerText()).toMatch(/wrong, used or too old/);
    await page.getByLabel("Code that the app shows").fill(totp(secret));
    await button("Confirm").click();
    await page.locator(".codes li").first().waitFor();
    const codes = await page.locator(".codes li").allInnerTexts();
    expect(codes).toHaveLength(10);
    await tidy("recovery-codes");
    expect(await button("Done").isDisabled()).toBe(true);
    await page.getByLabel("I have kept them").check();
    await button("Done").click();
    await inside();
    expect(await page.content()).not.toContain(codes[0]);

    await page.getByRole("button", { name: "Sign out" }).click();
    await expect.poll(() => visitor.heading()).toBe("Sign in");
    await signIn();
    await expect.poll(() => visitor.heading()).toBe("Second step");
    await tidy("second-step");
    await page.getByLabel("Code of the authenticator app").fill("123");
    await page.keyboard.press("Enter");
    await expect.poll(() => alert().innerText()).toMatch(/wrong, used or too old/);
    await page.getByLabel("Code of the authenticator app").fill(totp(secret));
    await page.keyboard.press("Enter");
    await inside();

    await page.getByRole("button", { name: "Sign out" }).click();
    await signIn();
    await button("Use a recovery code").click();
    await page.getByLabel("Recovery code").fill(codes[3]!);
    await page.keyboard.press("Enter");
    await inside();
    await visitor.go("/account");
    await expect.poll(() => page.locator("section[aria-labelledby=factors]").innerText()).toMatch(/Recovery codes\s*9 left/);
  });

  it("can be a passkey, which the browser keeps", async () => {
    await open({}, "/account");
    const tools = await visitor.context.newCDPSession(page);
    await tools.send("WebAuthn.enable");
    await tools.send("WebAuthn.addVirtualAuthenticator", { options: { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true } });
    await signIn();
    await button("Add a passkey").click();
    await page.getByLabel("Name of the passkey").fill("This laptop");
    await tidy("passkey");
    await button("Add a passkey").click();
    await expect.poll(() => page.locator("section[aria-labelledby=factors] li").allInnerTexts()).toEqual([expect.stringMatching(/^This laptop/), expect.stringMatching(/^Recovery codes\s*0 left/)]);

    await page.getByRole("button", { name: "Sign out" }).click();
    await signIn();
    await expect.poll(() => visitor.heading()).toBe("Second step");
    await visitor.accessible();
    await button("Use a passkey").click();
    await inside();

    // Removing it asks for the password again.
    await button("Remove This laptop").click();
    await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
    const again = page.getByRole("dialog", { name: "Your password again" });
    await again.waitFor();
    await tidy("confirm");
    await again.getByLabel("Password", { exact: true }).fill(People.password);
    await again.getByRole("button", { name: "Go on" }).click();
    await expect.poll(() => page.locator("section[aria-labelledby=factors] li").count()).toBe(0);
  });

  it("by a passkey that the browser does not have can be tried again or left", async () => {
    await open();
    await page.getByLabel("Name", { exact: true }).waitFor();
    fixture.people.accounts.named("eva")!.passkeys.push({ id: "AAAA", name: "lost", added_at: "2026-01-01T00:00:00Z" });
    const tools = await visitor.context.newCDPSession(page);
    await tools.send("WebAuthn.enable");
    await tools.send("WebAuthn.addVirtualAuthenticator", { options: { protocol: "ctap2", transport: "internal", hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true } });
    await signIn();
    await button("Use a passkey").click();
    await expect.poll(() => alert().innerText(), { timeout: 70_000 }).toMatch(/No passkey was used/);
    await button("Back to signing in").click();
    await expect.poll(() => visitor.heading()).toBe("Sign in");
  });
});

describe("a link", () => {
  it("for an invitation sets the password and signs in, once", async () => {
    await open();
    const jan = fixture.people.accounts.named("jan.novak")!;
    const { link } = fixture.people.accounts.issue(jan, "invite");
    await page.goto("about:blank");
    await page.goto(link);
    await expect.poll(() => visitor.heading()).toBe("Welcome");
    expect(page.url()).not.toContain("link=");
    expect(await page.locator("main").innerText()).toContain("jan.novak");
    await page.getByLabel("New password").fill("Winter-is-7");
    await page.getByLabel("The same again").fill("Winter-is-7");
    await tidy("invited");
    await button("Set the password and sign in").click();
    await inside();
    expect(await page.locator("header .who").innerText()).toBe("Jan Novák");

    await page.goto("about:blank");
    await page.goto(link);
    await expect.poll(() => alert().innerText()).toMatch(/wrong, used or too old/);
    await tidy("link-used");
    await button("To signing in").click();
    await inside();
  });

  it("for a new password still asks for the second step", async () => {
    await open();
    const eva = fixture.people.accounts.named("eva")!;
    eva.totp = "JBSWY3DPEHPK3PXP";
    const { link } = fixture.people.accounts.issue(eva, "reset");
    await page.goto("about:blank");
    await page.goto(link);
    await expect.poll(() => visitor.heading()).toBe("Set a new password");
    await page.getByLabel("New password").fill("Spring-is-8");
    await page.getByLabel("The same again").fill("Spring-is-8");
    await button("Set the password and sign in").click();
    await page.getByLabel("Code of the authenticator app").fill(totp(eva.totp));
    await page.keyboard.press("Enter");
    await inside();
  });
});

describe("without activity", () => {
  // Three minutes go without a warning, and the fourth with one; meanwhile the pages ask by themselves all the time.
  const short = { signOutMinutes: 4 };
  const intoWarning = 185_000;

  it("a person is warned, stays by saying so, and else is signed out with everything off the screen", async () => {
    await openWithClock(short, "/people/2");
    await signIn();
    await expect.poll(() => visitor.heading()).toBe("Petr Svoboda");
    const dialog = page.getByRole("dialog", { name: "Still there?" });
    expect(await dialog.count()).toBe(0);
    await page.clock.fastForward(intoWarning);
    await dialog.waitFor();
    expect(await dialog.innerText()).toMatch(/\d+ seconds? left/);
    await visitor.shot("idle");
    await button("Stay signed in").click();
    await expect.poll(() => dialog.count()).toBe(0);
    await page.clock.fastForward(intoWarning);
    await dialog.waitFor();
    await visitor.accessible();
    await page.clock.fastForward(60_000);
    await expect.poll(() => visitor.heading()).toBe("Sign in");
    expect(await page.locator("body").innerText()).not.toMatch(/Petr|Svoboda/);
    expect(await page.getByRole("status").first().innerText()).toMatch(/nothing was done for a while/);
    await tidy("idle-ended");
    expect(fixture.people.accounts.sessions.filter((s) => s.account.person.name === "eva")).toHaveLength(0);
    await signIn();
    await expect.poll(() => visitor.heading()).toBe("Petr Svoboda");
  });

  it("activity in one tab counts in the others, and so does its end", async () => {
    await openWithClock(short, "/devices");
    await signIn();
    await inside();
    const other = await visitor.context.newPage();
    await other.goto("/server");
    await other.locator("header nav").first().waitFor();
    for (let n = 0; n < 8; n++) {
      await other.mouse.move(100 + n, 100);
      await page.clock.fastForward(60_000);
    }
    expect(await page.getByRole("dialog").count()).toBe(0);
    await other.getByRole("button", { name: "Sign out" }).click();
    await expect.poll(() => visitor.heading()).toBe("Sign in");
    expect(await page.getByRole("status").count()).toBe(0);
  });

  it("what the viewer asks by itself does not count as use", async () => {
    await openWithClock({}, "/server");
    await signIn();
    await inside();
    const later = async (of: string[]) => {
      await page.clock.fastForward(10_000);
      return of.length;
    };
    const { active, passive } = fixture.people;
    await expect.poll(() => later(passive.filter((k) => k === "GET /status"))).toBeGreaterThan(1);
    const before = active.length;
    await page.mouse.move(300, 300);
    await expect.poll(() => later(active)).toBeGreaterThan(before);
  });

  it("the server's own end of the session shows the same page, and the way back", async () => {
    await open({}, "/people/2");
    await signIn();
    await expect.poll(() => visitor.heading()).toBe("Petr Svoboda");
    // The session ends between a click and the answer to it, so that nothing else of the page finds out before.
    let end = () => {};
    const ended = new Promise<void>((resolve) => (end = resolve));
    await page.route("**/api/v1/roles", async (route) => {
      await ended;
      await route.fallback();
    });
    await page.getByRole("link", { name: "Roles" }).click();
    fixture.people.endAll();
    end();
    await expect.poll(() => visitor.heading()).toBe("Sign in");
    expect(await page.getByRole("status").first().innerText()).toMatch(/The session has ended/);
    await signIn();
    await expect.poll(() => visitor.heading()).toBe("Roles");
  });
});

describe("one's own account", () => {
  it("is changed: name, minutes, password, sessions", async () => {
    await open({ accounts: "open" }, "/account");
    await expect.poll(() => visitor.heading()).toBe("Your account");
    await page.getByText("Firefox on Windows").waitFor();
    await tidy("account");
    await page.getByLabel("Full name").fill("Eva <b>N</b>");
    await page.getByRole("button", { name: "Save" }).click();
    await expect.poll(() => page.locator("header .who").innerText()).toBe("Eva <b>N</b>");
    await page.getByLabel("after 15 minutes").check();
    await expect.poll(() => fixture.people.accounts.named("eva")!.signOutMinutes).toBe(15);
    await button(/^Sign out there: Firefox/).click();
    await expect.poll(() => page.getByText("Firefox on Windows").count()).toBe(0);
    await button("Change the password…").click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Password now").fill("wrong");
    await dialog.getByLabel("New password").fill("Summer-is-9");
    await dialog.getByLabel("The same again").fill("Summer-is-9");
    await tidy("password");
    await dialog.getByRole("button", { name: "Change" }).click();
    await expect.poll(() => dialog.getByRole("alert").innerText()).toBe("The password is wrong.");
    await dialog.getByLabel("Password now").fill(People.password);
    await dialog.getByRole("button", { name: "Change" }).click();
    await expect.poll(() => dialog.count()).toBe(0);
    expect(fixture.people.accounts.named("eva")!.password).toBe("Summer-is-9");
  });

  it("fits a phone, in the dark too", async () => {
    await open({ accounts: "open" }, "/account", { viewport: { width: 320, height: 640 }, colorScheme: "dark" });
    await page.getByText("Firefox on Windows").waitFor();
    await tidy("account-phone");
  });
});
