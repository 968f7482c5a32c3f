import { batch, effect, signal, type Signal } from "@preact/signals";
import { ask, Failure, isAbandoned, refusals, session, unreachable } from "../api/client";
import { follow } from "../api/live";
import type { Latest, LatestList, LiveMessage, Me, Status } from "../api/types";
import { millis } from "../words/format";
import { isReturn, withMessage } from "./state";

// What the server says of the whole fleet. All figures on a page are of one printed instant, so live messages are
// gathered and put in together with it.

/** How well the viewer hears the server. "cut": it answers, but nothing comes of itself. */
export const hearing = signal<"joining" | "live" | "cut" | "unreachable">("joining");

export const status = signal<Status | null>(null);
export const me = signal<Me | null>(null);

/** The instant of all figures, by the server's clock, in milliseconds since 1970; it stands still while the stream is cut. */
export const asOf = signal(Date.now());

/** The devices by id, each with its own signal, so that one new value repaints one tile. */
export const devices = signal<ReadonlyMap<number, Signal<Latest>>>(new Map());

/** Whether the devices have been loaded once. */
export const loaded = signal(false);

/** Why the devices could not be loaded, null while they could. */
export const trouble = signal<Failure | null>(null);

/** Counts the changes to the list of devices, for pages that show it. */
export const changes = signal(0);

/** Counts the answers to how the server stands. */
export const answered = signal(0);

/** Counts the times that history became readable, writable or whole again. */
export const returns = signal(0);

/** Counts the times that something new of devices was put in, for what follows all of them. */
export const arrivals = signal(0);

export function may(permission: string): boolean {
  return me.value?.permissions.includes(permission) ?? false;
}

const statusEvery = 15_000;
/** While the database does not do all that it should, its return is not waited for that long. */
const statusSoon = 5_000;
/** After a refusal how the server stands is asked at once, but not more often than this. */
const statusLeast = 2_000;
const staleAfter = 1_000;
/** A fleet of this size and more is repainted less often. */
const large = 200;

/** How far the server's clock is ahead of the browser's, in milliseconds. */
let ahead = 0;

/** What the server's clock shows now. */
export function serverNow(): number {
  return Date.now() + ahead;
}

function setClock(at: string): void {
  const now = millis(at);
  if (now !== null) ahead = now - Date.now();
}

/** Follows the fleet until the function that it returns is called. */
export function followFleet(): () => void {
  const gone = new AbortController();
  let waiting: LiveMessage[] = [];
  let staleTimer: ReturnType<typeof setTimeout> | undefined;
  let tickTimer: ReturnType<typeof setTimeout> | undefined;
  let statusTimer: ReturnType<typeof setTimeout> | undefined;
  let statusAskedAt = 0;

  const reload = async () => {
    staleTimer = undefined;
    // Who may see no values is not to be refused them again and again.
    if (!may("sample.read")) {
      await askStatus();
      if (gone.signal.aborted) return;
      batch(() => {
        loaded.value = true;
        hearing.value = "live";
      });
      return;
    }
    try {
      // How the server stands is worth showing also where the values cannot be had.
      const [latest] = await Promise.all([ask<LatestList>("/latest", { signal: gone.signal }), askStatus()]);
      batch(() => {
        takeList(latest);
        asOf.value = millis(latest.at) ?? serverNow();
        trouble.value = null;
        if (hearing.value === "unreachable") hearing.value = "cut";
      });
    } catch (cause) {
      lost(cause);
      if (!gone.signal.aborted) staleSoon(5_000);
    }
  };
  const staleSoon = (after = staleAfter) => {
    staleTimer ??= setTimeout(() => void reload(), after);
  };
  const lost = (cause: unknown) => {
    if (isAbandoned(cause) || !(cause instanceof Failure)) return;
    if (cause.code === unreachable) hearing.value = "unreachable";
    trouble.value = cause;
  };
  const tick = () => {
    batch(() => {
      if (waiting.length && !take(waiting)) staleSoon();
      waiting = [];
      if (hearing.value === "live" && loaded.value) asOf.value = serverNow();
    });
    tickTimer = setTimeout(tick, devices.value.size < large ? 2_000 : 5_000);
  };
  const askStatus = async () => {
    clearTimeout(statusTimer);
    statusAskedAt = Date.now();
    try {
      takeStatus(await ask<Status>("/status", { signal: gone.signal }));
      if (hearing.value === "unreachable") hearing.value = "cut";
    } catch (cause) {
      lost(cause);
    }
    if (!gone.signal.aborted) statusIn(status.value?.store.state === "ok" ? statusEvery : statusSoon);
  };
  const statusIn = (after: number) => {
    clearTimeout(statusTimer);
    statusTimer = setTimeout(() => void askStatus(), after);
  };

  hearing.value = "joining";
  const unfollow = !may("sample.read") ? () => undefined : follow({
    open: () => {
      hearing.value = "live";
      clearTimeout(staleTimer);
      void reload();
    },
    message: (message) => void waiting.push(message),
    stale: () => {
      changes.value++;
      staleSoon();
    },
    cut: () => {
      if (hearing.value !== "unreachable") hearing.value = "cut";
      void askStatus();
    },
  });
  // The stream may be late or refused; the values need not wait for it.
  void reload();
  tick();
  let heeded = refusals.peek();
  const unheed = effect(() => {
    if (refusals.value === heeded) return;
    heeded = refusals.value;
    statusIn(Math.max(0, statusAskedAt + statusLeast - Date.now()));
  });
  return () => {
    gone.abort();
    unfollow();
    unheed();
    clearTimeout(staleTimer);
    clearTimeout(tickTimer);
    clearTimeout(statusTimer);
    batch(() => {
      devices.value = new Map();
      loaded.value = false;
      status.value = null;
    });
  };
}

function takeStatus(now: Status): void {
  setClock(now.at);
  batch(() => {
    if (isReturn(status.value, now)) returns.value++;
    status.value = now;
    answered.value++;
  });
}

function takeList(list: LatestList): void {
  const before = devices.value;
  const after = new Map<number, Signal<Latest>>();
  for (const device of list.latest) {
    const known = before.get(device.device_id);
    if (known) known.value = device;
    after.set(device.device_id, known ?? signal(device));
  }
  const same = before.size === after.size && sameKeys(before, after);
  if (!same) devices.value = after;
  arrivals.value++;
  loaded.value = true;
}

/** Puts live messages into their devices; says whether all of them fitted. */
function take(messages: LiveMessage[]): boolean {
  let fitted = true;
  for (const message of messages) {
    const device = devices.value.get(message.device_id);
    const after = device && withMessage(device.value, message);
    if (device && after) device.value = after;
    else fitted = false;
  }
  arrivals.value++;
  return fitted;
}

/** Finds out who asks; opens the viewer where there is a session. */
export async function recognise(): Promise<void> {
  try {
    me.value = await ask<Me>("/me");
    session.value = "open";
    trouble.value = null;
  } catch (cause) {
    if (cause instanceof Failure && cause.status !== 401) trouble.value = cause;
  }
}

function sameKeys(a: ReadonlyMap<number, unknown>, b: ReadonlyMap<number, unknown>): boolean {
  const others = b.keys();
  for (const key of a.keys()) if (key !== others.next().value) return false;
  return true;
}
