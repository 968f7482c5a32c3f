import { describe, expect, it } from "vitest";
import { People } from "../fixture/people";
import { Fixture, type FixtureOptions } from "../fixture/server";
import { totp } from "../fixture/totp";
import { Keys } from "./keys";
import { arrive, fixture, page, stage, visitor } from "./stage";
import { settled, walk, walkable, well } from "./walk";

// The pages before the frame (the first start, signing in, links, the second step), each walked and used by keys alone, against
// the fixture. What they do is tried in signin.test.ts.

let keys: Keys;

stage();

async function open(options: FixtureOptions = {}, path = "/"): Promise<void> {
  await arrive(options);
  keys = new Keys(page);
  await walkable(page);
  await page.goto(path);
}

/** The page of this name is there, whole: all of it is reached, and no rule of accessibility is broken. */
async function stands(title: string, reached: number): Promise<void> {
  await expect.poll(() => visitor.heading()).toBe(title);
  await settled(page);
  expect({ title, ...(await walk(page)) }).toEqual({ title, ...well, reached });
  await visitor.accessible();
}
const inside = () => page.locator("header nav").first().waitFor();
const alert = () => page.getByRole("alert");
const signIn = async () => {
  await expect.poll(() => visitor.heading()).toBe("Sign in");
  await keys.write("Name", "eva");
  await keys.write("Password", People.password);
  await page.keyboard.press("Enter");
};
const chooseTwice = async (password: string) => {
  await keys.write("New password", password);
  await keys.write("The same again", password);
};
const follow = async (name: string, purpose: "invite" | "reset") => {
  const { link } = fixture.people.accounts.issue(fixture.people.accounts.named(name)!, purpose);
  await page.goto("about:blank");
  await page.goto(link);
};

describe("before the frame, by keys alone", () => {
  it("the first administrator is made", async () => {
    await open({ accounts: "none" });
    // The secret and its button, two names, two passwords, the tick; the button waits for them.
    await stands("Create the administrator", 7);
    await keys.write("Secret from first-sign-in.txt", Fixture.secret);
    await keys.write("Name", "admin");
    await chooseTwice("Secret-42");
    await keys.tick("Show what I write");
    expect(await page.getByLabel("New password").getAttribute("type")).toBe("text");
    await stands("Create the administrator", 8);
    await keys.take("Create and sign in");
    await inside();
  });

  it("a person signs in, after a wrong password, and finds the other ways in", async () => {
    await open({ oidc: [{ id: "main", name: "Company" }], resetByMail: true });
    await expect.poll(() => keys.at(), { message: "who comes can write at once" }).toBe("Name");
    // The company's way, name, password and its button, the button, and who forgot.
    await stands("Sign in", 6);
    await keys.to("Sign in with Company");
    await keys.take("I forgot my password");
    await stands("I forgot my password", 3);
    await keys.write("Name", "eva");
    await page.keyboard.press("Enter");
    await expect.poll(() => page.getByRole("status").innerText()).toMatch(/If there is an account/);
    await stands("I forgot my password", 1);
    await keys.take("Back to signing in");
    await keys.write("Name", "eva");
    await keys.write("Password", "wrong");
    await keys.take("Sign in");
    await expect.poll(() => alert().innerText()).toBe("The name or the password is wrong.");
    await expect.poll(() => keys.at(), { message: "the focus stays where it was" }).toBe("Sign in");
    await signIn();
    await inside();
  });

  it("an authenticator app is set up and used, and a recovery code in its place", async () => {
    await open({ factorRequired: true });
    await signIn();
    await stands("Set up a second step", 4);
    await keys.take("Passkey");
    await page.getByLabel("Name of the passkey").waitFor();
    await stands("Set up a second step", 5);
    await keys.take("Authenticator app");
    await keys.take("Begin");
    await page.locator("code.grouped").waitFor();
    await expect.poll(() => keys.at()).toBe("Code that the app shows");
    await stands("Set up a second step", 5);
    const secret = (await page.locator("code.grouped").innerText()).replace(/\s/g, "");
    await keys.write("Code that the app shows", totp(secret));
    await page.keyboard.press("Enter");
    await expect.poll(() => page.locator(".codes li").count()).toBe(10);
    const [code] = await page.locator(".codes li").allInnerTexts();
    await keys.tick("I have kept them");
    await stands("Set up a second step", 8);
    await keys.take("Done");
    await inside();
    await keys.take("Sign out");
    await signIn();
    await stands("Second step", 4);
    await keys.write("Code of the authenticator app", "123");
    await page.keyboard.press("Enter");
    await expect.poll(() => alert().innerText()).toMatch(/wrong, used or too old/);
    await keys.take("Use a recovery code");
    await keys.write("Recovery code", code!);
    await page.keyboard.press("Enter");
    await inside();
  });

  it("a passkey is made and used", async () => {
    await open({ factorRequired: true });
    const tools = await visitor.context.newCDPSession(page);
    await tools.send("WebAuthn.enable");
    await tools.send("WebAuthn.addVirtualAuthenticator", { options: { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true } });
    await signIn();
    await expect.poll(() => visitor.heading()).toBe("Set up a second step");
    await keys.take("Passkey");
    await keys.write("Name of the passkey", "This laptop");
    await page.keyboard.press("Enter");
    await inside();
    await keys.take("Sign out");
    await signIn();
    await stands("Second step", 2);
    await keys.take("Use a passkey");
    await inside();
    // Signed in by it, its owner takes it away again, or keeps it.
    await keys.take("Eva Nováková");
    await expect.poll(() => visitor.heading()).toBe("Your account");
    // A passkey has no recovery codes of its own: they are made for it.
    await keys.take("Make new ones…");
    await page.getByRole("dialog", { name: "New recovery codes" }).waitFor();
    await keys.take("Make new ones");
    await keys.write("Password", People.password);
    await page.keyboard.press("Enter");
    await expect.poll(() => page.locator(".codes li").count()).toBe(10);
    const made = await page.locator(".codes li").allInnerTexts();
    await expect.poll(() => keys.at()).toBe("Your recovery codes");
    await visitor.accessible();
    await visitor.shot("codes-renewed");
    await keys.tick("I have kept them");
    await keys.take("Done");
    await expect.poll(() => page.locator("section[aria-labelledby=factors] li").allInnerTexts()).toContainEqual(expect.stringMatching(/^Recovery codes\s*10 left/));
    expect(made).toEqual(fixture.people.accounts.named("eva")!.recovery);
    await keys.take("Remove This laptop");
    await page.getByRole("dialog", { name: /This laptop/ }).waitFor();
    await settled(page);
    expect(await walk(page)).toEqual({ ...well, reached: 2 });
    await page.keyboard.press("Escape");
    await expect.poll(() => keys.at(), { message: "the focus is back on what opened it" }).toBe("Remove This laptop");
  });

  it("whoever did nothing for a while stays signed in by a key", async () => {
    await arrive({ signOutMinutes: 4 });
    keys = new Keys(page);
    await walkable(page);
    await page.clock.install();
    await page.goto("/people/2");
    await signIn();
    await expect.poll(() => visitor.heading()).toBe("Petr Svoboda");
    await keys.to("Disable…");
    await page.clock.fastForward(185_000);
    await page.getByRole("dialog", { name: "Still there?" }).waitFor();
    await expect.poll(() => keys.at()).toBe("Stay signed in");
    expect(await walk(page)).toEqual({ ...well, reached: 2 });
    await keys.take("Stay signed in");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await expect.poll(() => keys.at(), { message: "the focus is back where it was" }).toBe("Disable…");
  });

  it("an invitation and a link for a new password are followed, and a used one is left", async () => {
    await open();
    await follow("jan.novak", "invite");
    await stands("Welcome", 3);
    await chooseTwice("Winter-is-7");
    await page.keyboard.press("Enter");
    await inside();
    await keys.take("Sign out");
    await follow("eva", "reset");
    await stands("Set a new password", 3);
    const used = page.url();
    await chooseTwice("Spring-is-8");
    await keys.take("Set the password and sign in");
    await inside();
    expect(used).not.toContain("link=");
    await page.goto("about:blank");
    await page.goto("/#link=0123456789abcdef0123456789abcdef");
    await stands("Set a password", 1);
    await keys.take("To signing in");
    await inside();
  });

  it("a grave change is confirmed by the password, over the dialog that makes it", async () => {
    await open({ accounts: "open", confirm: true }, "/people/2");
    await expect.poll(() => visitor.heading()).toBe("Petr Svoboda");
    await keys.take("Disable…");
    await keys.write(/^Reason/, "On leave");
    await keys.take("Disable");
    const again = page.getByRole("dialog", { name: "Your password again" });
    await again.waitFor();
    await expect.poll(() => keys.at()).toBe("Password");
    expect(await walk(page)).toEqual({ ...well, reached: 4 });
    await page.keyboard.press("Escape");
    await expect.poll(() => alert().innerText()).toMatch(/Nothing was changed/);
    await expect.poll(() => keys.at(), { message: "the focus is back in the dialog below" }).toBe("Disable");
    await page.keyboard.press("Enter");
    await again.waitFor();
    await page.keyboard.type(People.password);
    await page.keyboard.press("Enter");
    await expect.poll(() => page.locator(".verdict .state").innerText()).toBe("Disabled");
  });
});
