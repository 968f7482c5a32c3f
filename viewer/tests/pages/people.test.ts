import type { BrowserContextOptions, Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { People } from "../fixture/people";
import type { FixtureOptions } from "../fixture/server";
import { enter, fixture, page, stage, visitor } from "./stage";

// Who may see and do what: people, roles, tokens, somebody else's view, the review of the audit trail. Against the fixture.

stage();

async function open(path: string, options: FixtureOptions = {}, visit: BrowserContextOptions = {}): Promise<void> {
  await enter(options, visit);
  await visitor.go(path);
}

const tidy = async (name: string) => {
  await visitor.accessible();
  await visitor.fitsWidth();
  await visitor.shot(name);
};
const rows = () => page.locator("tbody tr");
const dialog = () => page.getByRole("dialog");
const account = (name: string) => fixture.people.accounts.named(name)!;
/** Chooses a node in a form: by searching for its name, and Enter. */
const chooseNode = async (label: string, name: string, at = 0) => {
  const field = dialog().getByRole("group", { name: label, exact: true }).nth(at);
  await field.getByRole("button").first().click();
  await field.getByRole("searchbox").fill(name);
  await field.getByRole("searchbox").press("Enter");
};
const why = async (text: string) => {
  await dialog().getByLabel("Reason").fill(text);
};

describe("people", () => {
  it("are listed with their roles, and found by name and state", async () => {
    await open("/people");
    await expect.poll(() => rows().count()).toBeGreaterThan(50);
    const petr = await rows().filter({ hasText: "petr.svoboda" }).innerText();
    expect(petr).toMatch(/Device administrator at Acme › Brno/);
    await tidy("people");
    await page.getByLabel("Name or e-mail").fill("eva");
    await page.keyboard.press("Enter");
    await expect.poll(() => rows().count()).toBe(1);
    expect(new URL(page.url()).searchParams.get("q")).toBe("eva");
    await page.getByRole("button", { name: "Show all" }).click();
    await page.getByLabel("State").selectOption("Invited");
    await expect.poll(() => rows().allInnerTexts()).toHaveLength(1);
    expect(await rows().innerText()).toContain("Jan Novák");
  });

  it("with hostile names are shown and harmless", async () => {
    await open("/people?q=guest-42");
    await expect.poll(() => rows().count()).toBe(1);
    expect(await rows().innerText()).toContain("onerror");
    expect(await rows().innerText()).toContain("⟨U+202E⟩");
    expect(await page.locator("main img").count()).toBe(0);
    await rows().getByRole("link").click();
    await expect.poll(() => visitor.heading()).toContain("⟨U+202E⟩");
    expect(await page.locator("main img").count()).toBe(0);
  });

  it("are invited with roles by node; the link is shown once, to copy", async () => {
    await open("/people");
    await page.getByRole("button", { name: "Invite…" }).click();
    await dialog().getByLabel("Name", { exact: true }).fill("new.one");
    await dialog().getByLabel("Full name").fill("New One");
    const make = dialog().getByRole("button", { name: "Make the link" });
    expect(await make.isDisabled()).toBe(true);
    await dialog().getByLabel("Role").selectOption("User");
    await chooseNode("Counts at", "Praha");
    await tidy("invite");
    await make.click();
    const link = dialog().getByRole("group", { name: "Link" });
    await link.waitFor();
    const text = await link.innerText();
    expect(text).toMatch(new RegExp(`^${fixture.url}/#link=[0-9a-f]+$`));
    await tidy("invited-link");
    await dialog().getByRole("button", { name: "Close" }).click();
    await expect.poll(() => dialog().count()).toBe(0);
    expect(await page.content()).not.toContain(text.split("=")[1]);
    expect(account("new.one").person).toMatchObject({ state: "invited", full_name: "New One", organization: "/Acme/Praha", grants: [{ role: "user", organization: "/Acme/Praha" }] });
    await expect.poll(() => rows().filter({ hasText: "New One" }).count()).toBe(1);
  });

  it("a name that is used is refused in words", async () => {
    await open("/people");
    await page.getByRole("button", { name: "Invite…" }).click();
    await dialog().getByLabel("Name", { exact: true }).fill("Petr.Svoboda");
    await dialog().getByLabel("Role").selectOption("Guest");
    await chooseNode("Counts at", "Beta");
    await dialog().getByRole("button", { name: "Make the link" }).click();
    await expect.poll(() => dialog().getByRole("alert").innerText()).toMatch(/is used, or was used once/);
  });
});

describe("a person", () => {
  it("shows roles, rights and sessions", async () => {
    await open("/people/2");
    await expect.poll(() => visitor.heading()).toBe("Petr Svoboda");
    await page.locator(".permissions").first().waitFor();
    expect(await page.locator("section[aria-labelledby=rights]").innerText()).toMatch(/Acme › Brno and all below[^]*Accept, reject and suspend devices/);
    await tidy("person");
  });

  it("is given a role and loses one, each with a reason; rights of a past day stay to be seen", async () => {
    await open("/people/2");
    await page.getByRole("button", { name: "Give a role…" }).click();
    await dialog().getByLabel("Role").selectOption("Guest administrator");
    await chooseNode("Counts at", "Beta");
    expect(await dialog().getByRole("button", { name: "Give", exact: true }).isDisabled()).toBe(true);
    await why("Covers for Eva");
    await tidy("grant");
    await dialog().getByRole("button", { name: "Give", exact: true }).click();
    const grants = page.locator("section[aria-labelledby=grants] li");
    await expect.poll(() => grants.count()).toBe(3);
    await page.getByRole("button", { name: "End Device administrator at Acme › Brno" }).click();
    await why("Changed jobs");
    await dialog().getByRole("button", { name: "End", exact: true }).click();
    await expect.poll(() => grants.count()).toBe(2);
    expect(fixture.people.reasons).toEqual(["Covers for Eva", "Changed jobs"]);
    const rights = page.locator("section[aria-labelledby=rights]");
    await expect.poll(() => rights.innerText()).not.toContain("Acme › Brno");
    const yesterday = new Date(Date.now() - 2 * 86_400_000).toISOString().slice(0, 10);
    await page.getByLabel("At the end of").fill(yesterday);
    await expect.poll(() => rights.innerText()).toMatch(/Acme › Brno and all below/);
    expect(await rights.innerText()).not.toContain("Beta");
    await page.getByRole("button", { name: "Now", exact: true }).click();
    await expect.poll(() => rights.innerText()).toContain("Beta");
  });

  it("is disabled, enabled, given a link, and deleted, with nothing of them left but the name", async () => {
    await open("/people/2");
    const act = async (open: string, reason: string, press: string) => {
      await page.getByRole("button", { name: open }).click();
      await why(reason);
      await dialog().getByRole("button", { name: press, exact: true }).click();
    };
    await act("Disable…", "On leave", "Disable");
    await expect.poll(() => page.locator(".verdict .state").innerText()).toBe("Disabled");
    await act("Enable…", "Back", "Enable");
    await expect.poll(() => page.locator(".verdict .state").innerText()).toBe("Active");
    await act("Link for a new password…", "Forgot it", "Make the link");
    await dialog().getByRole("group", { name: "Link" }).waitFor();
    expect(await dialog().innerText()).toContain("petr@example.org");
    await dialog().getByRole("button", { name: "Close" }).click();
    await page.getByRole("button", { name: "Delete…" }).click();
    await tidy("delete");
    await why("Left the company");
    await dialog().getByRole("button", { name: "Delete", exact: true }).click();
    await expect.poll(() => visitor.heading()).toBe("petr.svoboda");
    expect(await page.locator("main").innerText()).not.toMatch(/Petr Svoboda|petr@example/);
    expect(await page.getByRole("button", { name: /Delete|Disable|Give a role/ }).count()).toBe(0);
    await tidy("deleted");
  });

  it("who is oneself cannot be changed", async () => {
    await open("/people/1");
    await expect.poll(() => page.locator(".note").innerText()).toMatch(/This is you/);
    expect(await page.getByRole("button", { name: /…$/ }).count()).toBe(0);
  });

  it("lends their view, which a banner says on every page until it is stopped", async () => {
    await open("/people/2");
    await page.getByRole("button", { name: "Show as…" }).click();
    const banner = page.getByRole("complementary", { name: "What is shown" });
    await banner.waitFor();
    expect(await banner.innerText()).toMatch(/You see what petr\.svoboda sees/);
    expect(await page.getByRole("button", { name: "Administration" }).count()).toBe(0);
    await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Devices", exact: true }).click();
    await expect.poll(() => banner.isVisible()).toBe(true);
    await tidy("show-as");
    await banner.getByRole("button", { name: "Stop" }).click();
    await expect.poll(() => banner.count()).toBe(0);
    await page.getByRole("button", { name: "Administration" }).waitFor();
  });

  it("is changed only after the password was given again, where that is switched on", async () => {
    await open("/people/2", { confirm: true });
    await page.getByRole("button", { name: "Disable…" }).click();
    await why("On leave");
    await dialog().getByRole("button", { name: "Disable", exact: true }).click();
    const again = page.getByRole("dialog", { name: "Your password again" });
    await again.waitFor();
    await again.getByRole("button", { name: "Cancel" }).click();
    await expect.poll(() => dialog().getByRole("alert").innerText()).toMatch(/Nothing was changed/);
    expect(account("petr.svoboda").person.state).toBe("active");
    await dialog().getByRole("button", { name: "Disable", exact: true }).click();
    await again.getByLabel("Password", { exact: true }).fill("wrong");
    await again.getByRole("button", { name: "Go on" }).click();
    await expect.poll(() => again.getByRole("alert").innerText()).toBe("The password is wrong.");
    await again.getByLabel("Password", { exact: true }).fill(People.password);
    await page.keyboard.press("Enter");
    await expect.poll(() => page.locator(".verdict .state").innerText()).toBe("Disabled");
    expect(await dialog().count()).toBe(0);
  });
});

describe("roles", () => {
  it("say what they may, and are made of check boxes", async () => {
    await open("/roles");
    await page.getByText("Device administrator").click();
    await expect.poll(() => page.locator("details[open]").innerText()).toContain("Put devices at places and swap them");
    await tidy("roles");
    await page.getByRole("button", { name: "Make a role…" }).click();
    await dialog().getByLabel("Name", { exact: true }).fill("Auditor Two");
    await dialog().getByLabel("See values").check();
    await dialog().getByLabel("See the audit trail").check();
    await chooseNode("Can be given at and below", "Acme");
    await why("For the yearly audit");
    expect(await dialog().getByRole("button", { name: "Save" }).isDisabled()).toBe(true);
    await dialog().getByLabel("Name", { exact: true }).fill("auditor-two");
    await tidy("role");
    await dialog().getByRole("button", { name: "Save" }).click();
    await expect.poll(() => page.getByText("auditor-two").count()).toBe(1);
    expect(fixture.people.roles.at(-1)).toMatchObject({ name: "auditor-two", permissions: ["sample.read", "audit.read"] });
    await page.getByText("night-watch").click();
    await page.getByRole("button", { name: "Close night-watch" }).click();
    await why("Nobody has it");
    await dialog().getByRole("button", { name: "Close…" }).click();
    await expect.poll(() => page.getByText("night-watch").count()).toBe(0);
  });
});

describe("tokens", () => {
  it("are made, shown once, and ended", async () => {
    await open("/tokens");
    await expect.poll(() => rows().count()).toBe(2);
    await tidy("tokens");
    await page.getByRole("button", { name: "Make a token…" }).click();
    await dialog().getByLabel("Name", { exact: true }).fill("power bi");
    await dialog().getByLabel("Role").selectOption("Guest");
    await chooseNode("Counts at", "Acme");
    await dialog().getByLabel("Works for").selectOption("30 days");
    await why("Weekly figures");
    await tidy("token");
    await dialog().getByRole("button", { name: "Make", exact: true }).click();
    const secret = dialog().getByRole("group", { name: "Token" });
    await secret.waitFor();
    const text = await secret.innerText();
    expect(text).toMatch(/^halley_/);
    await tidy("token-once");
    await dialog().getByRole("button", { name: "Close" }).click();
    await expect.poll(() => rows().count()).toBe(3);
    expect(await page.content()).not.toContain(text);
    await page.getByRole("button", { name: "End power bi" }).click();
    await why("Not needed");
    await dialog().getByRole("button", { name: "End…" }).click();
    await expect.poll(() => rows().filter({ hasText: "power bi" }).innerText()).toMatch(/ended by somebody/);
  });

  it("say who made them, stay when that person is deleted, and can be ended with the account", async () => {
    await open("/tokens");
    await expect.poll(() => rows().filter({ hasText: "grafana" }).innerText()).toContain("by petr.svoboda");
    expect(await rows().filter({ hasText: "monthly report" }).innerText()).toContain("on the server, by root");
    await visitor.go("/people/2");
    await page.getByRole("region", { name: "Tokens that they made" }).getByText("grafana").waitFor();
    await page.getByRole("button", { name: "Disable…" }).click();
    await dialog().getByText("1 token that they made works on:").waitFor();
    await tidy("person-tokens");
    await why("On leave");
    await dialog().getByRole("button", { name: "Disable", exact: true }).click();
    await dialog().waitFor({ state: "detached" });
    await visitor.go("/tokens");
    await expect.poll(() => rows().filter({ hasText: "grafana" }).innerText()).toMatch(/by petr.svoboda, whose account is disabled\s+until/);
    await visitor.go("/people/2");
    await page.getByRole("button", { name: "Delete…" }).click();
    await dialog().getByLabel(/End these tokens too/).check();
    await why("Left the company");
    await dialog().getByRole("button", { name: "Delete", exact: true }).click();
    await dialog().waitFor({ state: "detached" });
    await visitor.go("/tokens");
    await expect.poll(() => rows().filter({ hasText: "grafana" }).innerText()).toMatch(/by petr.svoboda, who has no account any more\s+ended by somebody/);
  });
});

describe("the audit trail", () => {
  it("goes on looking where a page of it has nothing that the reader may see", async () => {
    await open("/people");
    const asked: (string | null)[] = [];
    let release = () => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    await page.route(/\/api\/v1\/audit\?.*limit=100/, async (route) => {
      const before = new URL(route.request().url()).searchParams.get("before");
      asked.push(before);
      if (before === null) return route.fulfill({ json: { entries: [], next: "200000" } });
      if (before === "200000") {
        await held;
        return route.fulfill({ json: { entries: [], next: "180000" } });
      }
      return route.fallback();
    });
    await page.goto("/audit");
    await page.getByText("There are older entries to look through.").waitFor();
    expect(await page.getByText("Nothing fits.").count()).toBe(0);
    await page.getByRole("button", { name: "Older entries" }).waitFor();
    release();
    await rows().first().waitFor();
    expect(asked.slice(0, 3)).toEqual([null, "200000", "180000"]);
    expect(await page.getByText("There are older entries to look through.").count()).toBe(0);
  });

  it("is marked as reviewed with a note, and the first page says when", async () => {
    await open("/audit");
    const review = page.locator("section.review");
    await expect.poll(() => review.innerText()).toMatch(/Reviewed on .* by eva, up to entry 180\. 61 entries since/);
    await tidy("audit-review");
    await page.getByRole("button", { name: "Reviewed up to here…" }).click();
    await dialog().getByLabel("Note").fill("November <b>review</b>");
    await dialog().getByRole("button", { name: "Mark" }).click();
    await expect.poll(() => review.innerText()).toMatch(/up to entry 241\. 0 entries since/);
    expect(fixture.people.reviews[0]).toMatchObject({ up_to: 241, note: "November <b>review</b>" });
    expect(await page.getByRole("button", { name: "Reviewed up to here…" }).count()).toBe(0);
    await page.getByRole("link", { name: "Overview" }).click();
    await expect.poll(() => page.locator(".reviewline").innerText()).toMatch(/^Audit trail reviewed \d+ \w{3} \d{4}$/);
    await tidy("overview-review");
  });

  it("is searched by text", async () => {
    await open("/audit");
    await page.getByLabel("Text", { exact: true }).fill("calibration");
    const asked = page.waitForRequest((request) => request.url().includes("/audit?limit=100&q=calibration"));
    await page.keyboard.press("Enter");
    await asked;
    expect(new URL(page.url()).searchParams.get("q")).toBe("calibration");
  });
});

it("usage counts what an invoice would", async () => {
  await open("/usage", { role: "payment-administrator" });
  await expect.poll(() => rows().count()).toBeGreaterThan(3);
  expect(await page.locator("tfoot").innerText()).toMatch(/In all/);
  expect(await page.getByRole("navigation", { name: "Main" }).getByRole("link").allInnerTexts()).not.toContain("People");
  await tidy("usage");
});

it("whoever may only read sees everything and changes nothing", async () => {
  await open("/people/2", { role: "reader" });
  await page.locator(".permissions").first().waitFor();
  expect(await page.getByRole("button", { name: /Give a role|Disable|Delete|Change…|Link/ }).count()).toBe(0);
  await visitor.go("/roles");
  await page.getByText("Device administrator").waitFor();
  expect(await page.getByRole("button", { name: "Make a role…" }).count()).toBe(0);
  await visitor.go("/tokens");
  await rows().first().waitFor();
  expect(await page.getByRole("button", { name: /token|End/ }).count()).toBe(0);
});

describe.each([
  ["a phone in the dark", { viewport: { width: 320, height: 640 }, colorScheme: "dark" as const }],
  ["a desk in the light", { viewport: { width: 1280, height: 900 }, colorScheme: "light" as const }],
])("on %s", (name, visit) => {
  it.each(["/people", "/people/2", "/roles", "/tokens", "/usage", "/account"])("%s breaks no rule and needs no sideways scroll", async (path) => {
    // The rules ask each row the same again: some are enough.
    await open(path, { operators: 6 }, visit);
    await page.locator("main section.panel").first().waitFor();
    await page.locator("table, .permissions, details, .entries li").first().waitFor();
    await tidy(`${path.slice(1).replace("/", "-")}-${name.split(" ")[1]}`);
  });
});

it("a person is invited by keyboard alone", async () => {
  await open("/people");
  const reach = async (selector: () => ReturnType<Page["locator"]>) => {
    for (let n = 0; n < 60; n++) {
      if (await selector().evaluate((element) => element === document.activeElement)) return;
      await page.keyboard.press("Tab");
    }
    throw new Error("the keyboard does not reach it");
  };
  await page.getByRole("button", { name: "Invite…" }).waitFor();
  await expect.poll(() => page.getByRole("button", { name: "Invite…" }).isEnabled()).toBe(true);
  await reach(() => page.getByRole("button", { name: "Invite…" }));
  await page.keyboard.press("Enter");
  await reach(() => dialog().getByLabel("Name", { exact: true }));
  await page.keyboard.type("by.hand");
  await reach(() => dialog().getByLabel("Role"));
  await page.keyboard.type("Guest");
  await expect.poll(() => dialog().getByLabel("Role").inputValue()).toMatch(/guest/);
  const field = () => dialog().getByRole("group", { name: "Counts at", exact: true });
  await reach(() => field().getByRole("button").first());
  await page.keyboard.press("Enter");
  await reach(() => field().getByRole("searchbox"));
  await page.keyboard.type("Beta");
  await page.keyboard.press("Enter");
  await reach(() => dialog().getByRole("button", { name: "Make the link" }));
  await page.keyboard.press("Enter");
  await dialog().getByRole("group", { name: "Link" }).waitFor();
  await page.keyboard.press("Escape");
  await expect.poll(() => dialog().count()).toBe(0);
  expect(account("by.hand").person.state).toBe("invited");
});
