import type { Page } from "playwright-core";
import { expect } from "vitest";

/** Somebody without a mouse: goes by Tab, types, and presses what the focus is on. */
export class Keys {
  constructor(readonly page: Page) {}

  /** Goes on by the Tab key, or back by Shift, until the focus is on what is called so. */
  async to(name: string | RegExp, key: "Tab" | "Shift+Tab" = "Tab"): Promise<void> {
    const passed: string[] = [];
    const isIt = (said: string) => (typeof name === "string" ? said === name : name.test(said));
    while (passed.length < 120) {
      await this.page.keyboard.press(key);
      const said = await this.at();
      if (isIt(said)) return;
      passed.push(said);
    }
    expect.fail(`the Tab key does not lead to ${String(name)}, but to ${[...new Set(passed)].join(" | ")}`);
  }

  /** What the focus is on is called. */
  at(): Promise<string> {
    return this.page.evaluate(() => {
      const now = document.activeElement;
      if (!now || now === document.body) return "";
      const label = now instanceof HTMLInputElement || now instanceof HTMLSelectElement ? now.labels?.[0]?.textContent : undefined;
      return (now.getAttribute("aria-label") ?? label ?? now.textContent).replace(/\s+/g, " ").trim();
    });
  }

  /** Goes to a field and writes into it, in place of what it holds. */
  async write(field: string | RegExp, text: string): Promise<void> {
    await this.to(field);
    await this.page.keyboard.press("ControlOrMeta+a");
    await this.page.keyboard.type(text);
  }

  /** Goes to a button or a link and takes it. */
  async take(name: string | RegExp): Promise<void> {
    await this.to(name);
    await this.page.keyboard.press("Enter");
  }

  /** Ticks what the focus comes to. */
  async tick(name: string | RegExp): Promise<void> {
    await this.to(name);
    await this.page.keyboard.press("Space");
  }

  /** Goes to a choice and on in it by the arrow keys until it is this one. */
  async choose(field: string | RegExp, option: string): Promise<void> {
    await this.to(field);
    const chosen = () => this.page.evaluate(() => (document.activeElement as HTMLSelectElement).selectedOptions[0]?.text ?? "");
    for (let n = 0; n < 40 && (await chosen()) !== option; n++) await this.page.keyboard.press("ArrowDown");
    expect(await chosen()).toBe(option);
  }
}
