import type { CDPSession, Page } from "playwright-core";

// Walks through a page by the Tab key alone. The keys are real ones; what they reach is noted inside the page, so that a walk
// of a hundred steps takes a handful of questions to the browser.

/** What a walk found. Where nothing is wrong, all lists are empty and the walk ended. */
export interface Walk {
  /** What can be reached by its nature, was there all the time and was not reached. */
  missed: string[];
  /** What took the focus but cannot be seen. */
  unseen: string[];
  /** What can be worked by the mouse and not be reached by keys at all. */
  dead: string[];
  /** What was reached though an open dialog stands before it. */
  strayed: string[];
  /** Whether the walk came back to its beginning. */
  ended: boolean;
  /** How many things were reached. */
  reached: number;
}

/** A walk that found nothing wrong, apart from how long it was. */
export const well: Omit<Walk, "reached"> = { missed: [], unseen: [], dead: [], strayed: [], ended: true };

interface Walker {
  begin: () => number;
  state: () => { ended: boolean; bound: number };
  report: () => Walk;
  isSettled: () => boolean;
}

type Walked = { walker: Walker };

/** The most keys that are pressed before it is asked how far the walk is. */
const atOnce = 40;

/** Prepares the pages that will be loaded from now on to be walked. */
export async function walkable(page: Page): Promise<void> {
  await page.addInitScript(install);
}

/** Waits until the page has all that it asked for, and its controls stand still. */
export async function settled(page: Page): Promise<void> {
  await page.waitForFunction(() => (globalThis as unknown as Walked).walker.isSettled(), undefined, { polling: 100 });
}

/** Walks through the page, or the dialog that is open on it, until it is back at its beginning. */
export async function walk(page: Page): Promise<Walk> {
  // It is not ended here: with it a virtual authenticator that another one made would go.
  const keys = await page.context().newCDPSession(page);
  const first = await round(page, keys);
  // What was off or came only while the walk went by is not missed yet: it goes round once more.
  return first.missed.length > 0 && first.ended ? round(page, keys) : first;
}

async function round(page: Page, keys: CDPSession): Promise<Walk> {
  let left = await page.evaluate(() => (globalThis as unknown as Walked).walker.begin());
  for (let pressed = 0; ; ) {
    const n = Math.min(Math.max(left, 4), atOnce);
    await tabs(keys, n);
    pressed += n;
    const { ended, bound } = await page.evaluate(() => (globalThis as unknown as Walked).walker.state());
    left = bound - pressed;
    if (ended || left <= 0) break;
  }
  return page.evaluate(() => (globalThis as unknown as Walked).walker.report());
}

/** Presses the Tab key so many times, without waiting for each. */
async function tabs(keys: CDPSession, n: number): Promise<void> {
  const tab = { key: "Tab", code: "Tab", windowsVirtualKeyCode: 9 };
  const sent: Promise<unknown>[] = [];
  for (let i = 0; i < n; i++) sent.push(keys.send("Input.dispatchKeyEvent", { type: "rawKeyDown", ...tab }), keys.send("Input.dispatchKeyEvent", { type: "keyUp", ...tab }));
  await Promise.all(sent);
}

/** Runs inside the page, before anything else does. */
function install(): void {
  const native = "a[href], button, input, select, textarea, summary";
  /** One of these is reached by Tab, what is in it by arrows. */
  const composite = "[role=tree], [role=grid], [role=listbox], [role=toolbar], [role=tablist], [role=radiogroup]";
  const worked = new WeakSet<Element>();
  type Listen = (this: EventTarget, ...given: Parameters<EventTarget["addEventListener"]>) => void;
  const listen: Listen = Reflect.get<EventTarget, "addEventListener">(EventTarget.prototype, "addEventListener");
  EventTarget.prototype.addEventListener = function (this: EventTarget, ...given: Parameters<Listen>) {
    if (given[0] === "click" && this instanceof Element) worked.add(this);
    listen.apply(this, given);
  };
  let asking = 0;
  const load = globalThis.fetch;
  globalThis.fetch = async (...given) => {
    asking++;
    try {
      return await load(...given);
    } finally {
      asking--;
    }
  };

  const words = (e: Element) => `${e.tagName.toLowerCase()}${e.id ? `#${e.id}` : ""} "${(e.getAttribute("aria-label") ?? (e.textContent.trim() || e.className)).trim().slice(0, 40)}"`;
  const isShown = (e: Element) => e.checkVisibility({ visibilityProperty: true }) && e.getClientRects().length > 0;
  const isOff = (e: Element) => e.matches(":disabled, [inert] *, [aria-hidden=true], [aria-hidden=true] *");
  /** A link without an address says that it has a place in the order, and has none. */
  const isInOrder = (e: Element) => (e instanceof HTMLElement || e instanceof SVGElement) && e.tabIndex >= 0 && e.matches(`${native}, [tabindex], [contenteditable]`);
  const root = () => [...document.querySelectorAll("dialog:modal")].at(-1) ?? document.body;
  /** Of radio buttons of one name one is reached by Tab, the others from it by arrows. */
  const keyOf = (e: Element): unknown => (e instanceof HTMLInputElement && e.type === "radio" && e.name ? `radio ${e.name}` : e);
  const wantedNow = () => new Map([...root().querySelectorAll(`${native}, [tabindex]`)].filter((e) => isInOrder(e) && !isOff(e) && isShown(e)).map((e) => [keyOf(e), e]));
  const isWorked = (e: Element) => (worked.has(e) && !e.matches("label, dialog, html, body")) || e.matches(`${native}, [onclick], [role=button], [role=link], [role=checkbox], [role=switch]`);
  const deadNow = () => [...root().querySelectorAll("*")].filter((e) => isWorked(e) && !isInOrder(e) && !isOff(e) && isShown(e) && !e.closest(composite) && !e.parentElement?.closest(native));
  /** Whether some of it lies in sight, before everything else. */
  const isSeen = (e: Element) => {
    if (!e.checkVisibility({ opacityProperty: true, visibilityProperty: true })) return false;
    return [...e.getClientRects()].some((box) => {
      if (box.width < 3 || box.height < 3) return false;
      return [0.5, 0.05, 0.95].some((x) =>
        [0.5, 0.1, 0.9].some((y) => {
          const at = document.elementFromPoint(box.left + box.width * x, box.top + box.height * y);
          return e.contains(at);
        }),
      );
    });
  };

  let wanted = new Map<unknown, Element>();
  let reached = new Set<unknown>();
  let unseen: string[] = [],
    strayed: string[] = [];
  let first: Element | null = null,
    last: Element | null = null;
  let ended = true;
  const step = () => {
    const now = document.activeElement;
    if (ended) return;
    // After the last thing the focus leaves the page.
    if (!now || now === document.body) {
      last = null;
      return;
    }
    if (now === first && (last !== first || wanted.size === 1)) {
      ended = true;
      return;
    }
    first ??= now;
    if (now !== last) {
      if (!isSeen(now)) unseen.push(words(now));
      if (!root().contains(now)) strayed.push(words(now));
    }
    last = now;
    reached.add(keyOf(now));
  };
  // By then the focus is where the key has brought it, and that has been scrolled into sight.
  listen.call(globalThis, "keyup", ((event: KeyboardEvent) => event.key === "Tab" && step()) as EventListener, true);

  let signature = "",
    since = 0;
  const walker: Walker = {
    begin() {
      wanted = wantedNow();
      reached = new Set();
      unseen = [];
      strayed = [];
      first = last = null;
      ended = false;
      return wanted.size + 2;
    },
    // A date takes a step for each of its parts; a list may grow on the way.
    state: () => ({ ended, bound: wantedNow().size * 2 + 12 * root().querySelectorAll("input[type^=date]").length + 30 }),
    report() {
      const still = wantedNow();
      const missed = [...wanted].filter(([key]) => still.has(key) && !reached.has(key)).map(([, e]) => words(e));
      return { missed, unseen, dead: deadNow().map(words), strayed, ended, reached: reached.size };
    },
    isSettled() {
      const now = `${location.href} ${asking} ${document.querySelectorAll("*").length}`;
      if (asking > 0 || now !== signature) {
        signature = now;
        since = performance.now();
        return false;
      }
      return performance.now() - since > 300;
    },
  };
  Object.assign(globalThis, { walker });
}
