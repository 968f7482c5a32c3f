import type { FullStatus, Latest, Status } from "../api/types";
import { millis } from "../words/format";
import { isAlarm, isFault, parseQuality } from "../words/quality";

/**
 * The one state in which an accepted device counts. The order is that of need: a device that is silent tells nothing
 * about its alarms any more.
 */
export type TileState = "silent" | "unheard" | "alarm" | "fault" | "reporting";

/** Without a known interval a device is silent after this many milliseconds. */
const patienceUnknown = 15 * 60_000;
const patienceLeast = 90_000;

/** How long after a message a device is silent, in milliseconds. */
export function patience(interval: number | null): number {
  return interval === null ? patienceUnknown : Math.max(2_500 * interval, patienceLeast);
}

/** What follows from a message alone, whatever the time is. */
interface Heard {
  /** From when on the device is silent, in milliseconds. */
  silentFrom: number;
  /** How it stands as long as it is not. */
  state: TileState;
}

/** What is known of a device is replaced and never changed, so each message is looked at once, however often the time moves on. */
const heard = new WeakMap<Latest, Heard>();

function heardOf(device: Latest): Heard {
  const known = heard.get(device);
  if (known) return known;
  const received = millis(device.received_at);
  const after = received === null ? Infinity : received + patience(device.interval);
  const found = { silentFrom: device.silent ? -Infinity : after, state: stateInTime(device) };
  heard.set(device, found);
  return found;
}

function stateInTime(device: Latest): TileState {
  if (device.received_at === null) return "unheard";
  const qualities = device.values.map((v) => parseQuality(v.quality));
  if (qualities.some(isAlarm)) return "alarm";
  return qualities.some(isFault) ? "fault" : "reporting";
}

export function isSilent(device: Latest, now: number): boolean {
  return now > heardOf(device).silentFrom;
}

export function stateOf(device: Latest, now: number): TileState {
  const { silentFrom, state } = heardOf(device);
  return state !== "unheard" && now > silentFrom ? "silent" : state;
}

/** Puts a live message into what is known of its device; gives null when it does not fit and all must be loaded again. */
export function withMessage(
  device: Latest,
  message: { measured_at: string; received_at: string; interval: number | null; late: boolean; values: { channel_id: number; value: number | null; quality: string }[] },
): Latest | null {
  const known = new Set(device.values.map((v) => v.channel_id));
  if (message.values.some((v) => !known.has(v.channel_id))) return null;
  const received = millis(message.received_at) ?? 0;
  const heard = {
    ...device,
    silent: false,
    silent_since: null,
    interval: message.interval ?? device.interval,
    received_at: received > (millis(device.received_at) ?? 0) ? message.received_at : device.received_at,
  };
  // A message of the past, sent late, shows that the device lives, but its values are not the latest.
  if ((millis(message.measured_at) ?? 0) < (millis(device.measured_at) ?? 0)) return heard;
  const news = new Map(message.values.map((v) => [v.channel_id, v]));
  return {
    ...heard,
    measured_at: message.measured_at,
    late: message.late,
    values: device.values.map((v) => {
      const n = news.get(v.channel_id);
      return n ? { ...v, value: n.value, quality: n.quality } : v;
    }),
  };
}

/** Devices that are known but not accepted, by state; those of which there is none are left out. */
export function elsewhere(devices: Status["devices"]): { state: "suspended" | "rejected" | "retired"; n: number }[] {
  return (["suspended", "rejected", "retired"] as const).map((state) => ({ state, n: devices[state] })).filter((d) => d.n > 0);
}

/** Whether the server has said all that it says to whoever may look after it. */
export function isFull(status: Status): status is FullStatus {
  return Boolean(status.journal && status.nodes && status.listeners && status.quarantine && status.unrecognized);
}

/** Uploads wait in the journal for a few seconds as a rule; from here on, in milliseconds, history lacks something that has come. */
const waitsLong = 120_000;

/** Whether what waited while the database was away is still being recorded. */
export function isCatchingUp({ at, store, journal }: Status): boolean {
  if (!journal) return false;
  const oldest = millis(journal.oldest_waiting_at);
  return store.state === "ok" && journal.waiting > 0 && oldest !== null && (millis(at) ?? 0) - oldest > waitsLong;
}

/** Whether, from one status to the next, history became readable, writable or whole again. */
export function isReturn(before: Status | null, now: Status): boolean {
  if (!before) return false;
  const was = before.store.state,
    is = now.store.state;
  return (was !== "ok" && is === "ok") || (was === "away" && is !== "away") || (is === "ok" && isCatchingUp(before) && !isCatchingUp(now));
}
