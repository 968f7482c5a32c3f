import { signal } from "@preact/signals";
import { ask } from "../api/client";
import { isStirred, stir } from "./activity";

// Signing out after so long without a person doing anything. Only hands count: keys, pointer, wheel, touch. All tabs share
// one session, so what a person does in one of them counts in all.

/** How long before the end a person is warned, in milliseconds. */
const warning = 60_000;
/** How often others are told that a person is there, and how long the server may stay without knowing. */
const tellEvery = 1_000,
  serverEvery = 30_000;
const key = "halley.active";

/** The seconds that are left before the end, while they are few; null otherwise. */
export const left = signal<number | null>(null);

/** The milliseconds until a session ends that was last used at an instant. */
export function remaining(lastActive: number, minutes: number, now: number): number {
  return lastActive + minutes * 60_000 - now;
}

/** The seconds that a warning shows; null while it is too early for one. A short time without activity is warned of in its last half. */
export function warned(remains: number, minutes: number): number | null {
  const from = Math.min(warning, (minutes * 60_000) / 2);
  return remains <= from ? Math.max(0, Math.ceil(remains / 1_000)) : null;
}

let active = 0,
  written = 0;

/** When a person did something last, in this tab or another. */
function lastActive(): number {
  const elsewhere = Number(read());
  // An instant to come is of a clock that was set back, and would keep the session open.
  return Math.max(active, elsewhere <= Date.now() ? elsewhere : 0);
}

function read(): string {
  try {
    return localStorage.getItem(key) ?? "";
  } catch {
    return "";
  }
}

function write(at: number): void {
  written = at;
  try {
    localStorage.setItem(key, String(at));
  } catch {
    // Without storage each tab counts for itself.
  }
}

/** A person is there. */
export function present(): void {
  const now = Date.now();
  stir();
  active = now;
  if (now - written >= tellEvery || now < written) write(now);
}

/** Watches the hands of a person, and calls `end` after so many minutes without. Gives what ends it. */
export function watchIdle(minutes: number, end: () => void): () => void {
  const stopped = new AbortController();
  let told = Date.now();
  const hands = (event: Event) => {
    // While it is warned, only the answer to the warning counts.
    if (event.isTrusted && left.peek() === null) present();
  };
  for (const name of ["keydown", "pointerdown", "pointermove", "wheel", "touchstart"]) addEventListener(name, hands, { signal: stopped.signal, capture: true, passive: true });
  const check = () => {
    const now = Date.now();
    const remains = remaining(lastActive(), minutes, now);
    if (remains <= 0) {
      left.value = null;
      end();
      return;
    }
    left.value = warned(remains, minutes);
    if (!isStirred()) told = now;
    else if (now - told >= serverEvery) {
      told = now;
      void ask("/me").catch(() => {
        // What the answer says of the session has been taken already.
      });
    }
  };
  present();
  write(active);
  const timer = setInterval(check, 1_000);
  document.addEventListener("visibilitychange", check, { signal: stopped.signal });
  return () => {
    stopped.abort();
    clearInterval(timer);
    left.value = null;
  };
}

/** A person says that they are still there: the server hears it at once. */
export async function stay(): Promise<void> {
  present();
  write(Date.now());
  left.value = null;
  await ask("/me");
}
