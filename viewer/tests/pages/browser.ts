import { AxeBuilder } from "@axe-core/playwright";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { chromium, type Browser, type BrowserContext, type BrowserContextOptions, type Page, type Request } from "playwright-core";
import { expect } from "vitest";

export type Storage = Awaited<ReturnType<BrowserContext["storageState"]>>;

/** Where screenshots go; HALLEY_SHOTS names a folder, otherwise none are kept. */
const shots = process.env["HALLEY_SHOTS"];

/**
 * What of the browser is switched off. The pop-ups of the address bar are pages of their own, made with every window: they
 * take more of a machine than the page that is tried. The others are those that Playwright switches off, which naming any here
 * would switch on again, for the browser goes by the last list that it is given.
 */
const without = [
  "WebUIOmniboxPopup",
  "WebUIOmniboxAimPopup",
  "AimEnabled",
  "AvoidCorsURLLoaderRestartOnRedirect",
  "AvoidUnnecessaryBeforeUnloadCheckSync",
  "DestroyProfileOnBrowserClose",
  "HttpsFirstBalancedModeAutoEnable",
  "HttpsUpgrades",
  "LensOverlay",
  "MediaRouter",
  "NetworkTimeServiceQuerying",
  "OptimizationHints",
  "PaintHolding",
  "PreconnectToSearch",
  "ThirdPartyStoragePartitioning",
];

export function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
    args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", `--disable-features=${without.join(",")}`],
  });
}

/** A window on the viewer that notes what must never happen: a request to another host, a refusal by the policy, an error. */
export class Visitor {
  readonly foreign: string[] = [];
  readonly errors: string[] = [];
  /** What the page waits for, without the live stream, which never ends; and how often anything was asked for. */
  private readonly unanswered = new Set<Request>();
  private asked = 0;

  private constructor(
    readonly context: BrowserContext,
    readonly page: Page,
    readonly origin: string,
  ) {
    context.on("request", (request) => {
      const url = request.url();
      if (!url.startsWith("blob:") && !url.startsWith("data:") && new URL(url).origin !== origin) this.foreign.push(url);
    });
    page.on("request", (request) => {
      // With another document, nobody waits any more for what the last one asked for.
      if (request.isNavigationRequest()) this.unanswered.clear();
      if (new URL(request.url()).pathname === "/api/v1/live") return;
      this.unanswered.add(request);
      this.asked++;
    });
    const over = (request: Request) => this.unanswered.delete(request);
    page.on("requestfinished", over);
    page.on("requestfailed", over);
    page.on("pageerror", (error) => this.errors.push(String(error)));
    page.on("console", (message) => {
      // A request that fails is told by the page itself; what the browser adds is about the network, not the page.
      if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) this.errors.push(message.text());
    });
    page.setDefaultTimeout(30_000);
  }

  static async open(browser: Browser, origin: string, options: BrowserContextOptions = {}): Promise<Visitor> {
    const context = await browser.newContext({
      baseURL: origin,
      ignoreHTTPSErrors: true,
      timezoneId: "Europe/Prague",
      locale: "en-US",
      viewport: { width: 1280, height: 900 },
      acceptDownloads: true,
      ...options,
    });
    return new Visitor(context, await context.newPage(), origin);
  }

  /** Goes to a page and waits until it says what it is, and has what it asks for by itself. */
  async go(path: string): Promise<void> {
    await this.page.goto(path);
    await this.heading();
    await this.settled();
  }

  async heading(): Promise<string> {
    const heading = this.page.locator("main h1");
    await heading.waitFor();
    return heading.innerText();
  }

  /** Waits until everything that the page asks for by itself has been answered and drawn; not in a page whose clock was stopped. */
  async settled(): Promise<void> {
    await expect
      .poll(async () => {
        const before = this.asked;
        // What was answered is drawn in a next frame, and what follows from it is asked for after that.
        await this.page.evaluate(async () => {
          for (let i = 0; i < 3; i++) await new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)));
        });
        return this.unanswered.size === 0 && this.asked === before;
      })
      .toBe(true);
  }

  /** Waits until the chart shows what was asked for last. */
  async charted(): Promise<void> {
    await this.page.locator(".plot canvas").first().waitFor();
    await this.settled();
    await this.page.locator("section.chart[aria-busy=false]").waitFor();
  }

  /** Ends the visit; it must have been clean. */
  async leave(): Promise<void> {
    await this.context.close();
    expect(this.foreign, "requests to other hosts").toEqual([]);
    expect(this.errors, "errors in the page").toEqual([]);
  }

  async shot(name: string): Promise<void> {
    if (!shots) return;
    mkdirSync(shots, { recursive: true });
    await this.page.screenshot({ path: join(shots, `${name}.png`) });
  }

  /** No rule of WCAG 2.2 A and AA, nor of good practice, may be broken, on the page or in a part of it. */
  async accessible(part?: string): Promise<void> {
    // Only frames, of which a page has none, need the other mode and its second page. What is found to be right is not asked for.
    expect(this.page.frames(), "frames in the page").toHaveLength(1);
    const axe = new AxeBuilder({ page: this.page }).setLegacyMode().options({ resultTypes: ["violations"] });
    const { violations } = await (part === undefined ? axe : axe.include(part)).analyze();
    expect(violations.map((v) => `${v.id}: ${v.nodes.map((n) => `${n.target.join(" ")} ${n.failureSummary ?? ""}`).join("; ")}`)).toEqual([]);
  }

  /** Nothing may lie beyond the right edge. */
  async fitsWidth(): Promise<void> {
    const { scroll, client } = await this.page.evaluate(() => ({ scroll: document.documentElement.scrollWidth, client: document.documentElement.clientWidth }));
    expect(scroll, "width of the page against the window").toBeLessThanOrEqual(client);
  }
}
