import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launch } from "./browser";
import { walk, walkable, well } from "./walk";

// The walk by the Tab key finds what it is there to find.

let browser: Browser;
let page: Page;

beforeAll(async () => {
  browser = await launch();
  page = await browser.newPage();
  await walkable(page);
});
afterAll(() => browser.close());

const rest = `<p><a href="#a">One</a> <button>Two</button> <input type="date" aria-label="Three"> <label><input type="radio" name="r"> Four</label> <label><input type="radio" name="r"> Five</label></p>`;

async function walked(content: string, work?: () => void) {
  await page.goto(`data:text/html,${encodeURIComponent(`<!doctype html><meta charset="utf-8"><main>${content}${rest}</main>`)}`);
  if (work) await page.evaluate(work);
  return walk(page);
}

describe("a walk by the Tab key", () => {
  it("finds nothing wrong where nothing is", async () => {
    expect(await walked("")).toEqual({ ...well, reached: 4 });
    expect(await walked(`<div role="tree" tabindex="0"><button tabindex="-1">by arrows</button></div><button disabled>off</button>`)).toEqual({ ...well, reached: 5 });
  });

  it.each([
    ["something that only a click works", `<div onclick="0">Click</div>`, `div "Click"`],
    ["a link without an address", `<a onclick="0">Nowhere</a>`, `a "Nowhere"`],
    ["a button taken out of the order", `<button tabindex="-1">Out</button>`, `button "Out"`],
    ["something that only says that it is a button", `<span role="button">Said</span>`, `span "Said"`],
  ])("finds %s", async (_, content, dead) => {
    expect(await walked(content)).toMatchObject({ ...well, dead: [dead] });
  });

  it("finds what a script made to be clicked", async () => {
    const found = await walked(`<div id="made">Made</div>`, () => document.getElementById("made")!.addEventListener("click", () => undefined));
    expect(found).toMatchObject({ ...well, dead: [`div#made "Made"`] });
  });

  it.each([
    ["is transparent", `<button style="opacity: 0">Unseen</button>`],
    ["has no size", `<button style="position: absolute; width: 1px; height: 1px; padding: 0; border: 0; overflow: hidden">Unseen</button>`],
    ["lies outside", `<button style="position: fixed; left: -500px">Unseen</button>`],
    ["lies under something else", `<div style="position: relative"><button>Unseen</button><div style="position: absolute; inset: 0; background: white"></div></div>`],
  ])("finds that what has the focus %s", async (_, content) => {
    expect(await walked(content)).toMatchObject({ ...well, unseen: [`button "Unseen"`] });
  });

  it("finds what holds the focus and does not let it go", async () => {
    const found = await walked(`<button id="trap">Trap</button>`, () => document.getElementById("trap")!.addEventListener("keydown", (event) => event.preventDefault()));
    expect(found.ended).toBe(false);
    expect(found.missed).toContain(`button "Two"`);
  });

  it("finds what lies behind something that sends the focus back", async () => {
    const found = await walked(`<button id="before">Before</button><button id="behind">Behind</button>`, () =>
      document.getElementById("before")!.addEventListener("keydown", (event) => {
        event.preventDefault();
        document.querySelector<HTMLElement>("a")!.focus();
      }),
    );
    expect(found).toMatchObject({ ...well, missed: [`button#behind "Behind"`] });
  });

  it("forgives what was off only while it went by", async () => {
    const found = await walked(`<button id="flicker">Flicker</button>`, () => {
      const flicker = document.querySelector<HTMLButtonElement>("#flicker")!;
      let rounds = 0;
      document.addEventListener("keydown", () => {
        if (rounds++ === 0) flicker.disabled = true;
        else if (rounds === 4) flicker.disabled = false;
      });
    });
    expect(found).toMatchObject({ ...well, reached: 5 });
  });

  it("stays inside an open dialog", async () => {
    const found = await walked(`<dialog><button>In</button><button>Also in</button></dialog>`, () => document.querySelector("dialog")!.showModal());
    expect(found).toEqual({ ...well, reached: 2 });
  });
});
