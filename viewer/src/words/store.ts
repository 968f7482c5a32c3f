import type { Journal, Status, Store, StoreState } from "../api/types";
import { isCatchingUp } from "../fleet/state";
import { ago, bytes, date, millis, near, percent, span } from "./format";
import { locale, t, type Key } from "./messages";
import { visible } from "./text";

const day = 86_400_000;
/** The mean month and year, in milliseconds. */
const month = 30.436875 * day,
  year = 12 * month;

const ofMonth = new Intl.DateTimeFormat(locale, { month: "long", year: "numeric" });
const ofYear = new Intl.DateTimeFormat(locale, { year: "numeric" });

type Wrong = Exclude<StoreState["state"], "ok">;

const sinceKeys: Record<Wrong, Key> = { away: "storenote.away-since", "read-only": "storenote.read-only-since", full: "storenote.full-since" };
const nowKeys: Record<Wrong, Key> = { away: "storenote.away", "read-only": "storenote.read-only", full: "storenote.full" };
const goesOnKeys: Record<Wrong, Key> = { away: "storenote.goes-on-away", "read-only": "storenote.goes-on-read-only", full: "storenote.goes-on-full" };

/** What is wrong with the database, what it costs and what goes on, as sentences; none where nothing is wrong. */
export function storeNote(status: Status, now: number): string[] {
  const { state } = status.store;
  const { journal } = status;
  if (state === "ok") return journal && isCatchingUp(status) ? [catchingUpWords(journal, now)] : [];
  const since = millis(status.store.since);
  return [since === null ? t(nowKeys[state]) : t(sinceKeys[state], { since: near(since, now) }), ...(journal ? [keptWords(journal)] : []), t(goesOnKeys[state])];
}

/** Whether anything is lost; said only where this server still takes uploads. */
function keptWords(journal: Journal): string {
  if (journal.state !== "ok") return t("storenote.not-kept", { n: journal.waiting });
  return journal.waiting > 0 ? t("storenote.kept", { n: journal.waiting }) : t("storenote.kept-none");
}

function catchingUpWords(journal: Journal, now: number): string {
  return t("storenote.catching-up", { n: journal.waiting, since: near(millis(journal.oldest_waiting_at) ?? now, now) });
}

const changeKeys: Record<Wrong, Key> = { away: "change.away", "read-only": "change.read-only", full: "change.full" };

/** Why nothing can be changed now; empty where it can. */
export function noChangeWords(state: Store["state"]): string {
  return state === "ok" ? "" : t(changeKeys[state]);
}

const recordKeys: Record<Wrong, Key> = { away: "record.away", "read-only": "record.read-only", full: "record.full" };

/** Why what waits cannot be recorded now; empty where it can. */
export function noRecordingWords(state: Store["state"]): string {
  return state === "ok" ? "" : t(recordKeys[state]);
}

/** What waits on a server to be recorded: "1,204, the oldest 3 h 12 min ago". */
export function waitingWords(waiting: number, oldest: string | null, now: number): string {
  const since = millis(oldest);
  return waiting === 0 || since === null ? t("count", { n: waiting }) : t("journal.waiting-since", { n: waiting, ago: ago(since, now) });
}

/** The engine in its own words, else by its kind. */
export function engineName(store: Store): string {
  if (store.engine) return visible(store.engine);
  switch (store.kind) {
    case "sqlite":
      return t("store.sqlite");
    case "sqlserver":
      return t("store.sqlserver");
    default:
      return visible(store.kind);
  }
}

/** How much of the room is used: "6.4 GB of 10.7 GB, 59.6 %". */
export function usedWords(store: Store): string {
  return t("growth.used", { size: bytes(store.bytes), of: bytes(store.limit_bytes), share: percent(Math.min(store.bytes, store.limit_bytes), store.limit_bytes) });
}

const gibibyte = 2 ** 30;

/** What sets the limit, and what can be done about it; empty where none is known. */
export function limitWords(store: Store): string {
  switch (store.limit_bytes > 0 ? store.limit : "") {
    case "edition":
      return t("limit.edition", { n: Math.round(store.limit_bytes / gibibyte) });
    case "file-size":
      return t("limit.file-size");
    case "disk":
      return t("limit.disk");
    case "":
      return "";
    default:
      return visible(store.limit);
  }
}

/** How soon the database is full, and how near that is. */
export interface Forecast {
  text: string;
  /** Which state its colour is of: "" for far away or not known. */
  tone: "" | "fault" | "alarm";
}

/** From here on somebody should make room, and from here on at once, in milliseconds. */
const soon = 90 * day,
  atOnce = 14 * day;

/** When the database is full if it grows as now: "Full in about 14 months (January 2028)". */
export function forecast(store: Store, now: number): Forecast {
  const at = millis(store.full_at);
  if (store.state === "full" || (at !== null && at <= now)) return { text: t("forecast.now"), tone: "alarm" };
  if (store.limit_bytes <= 0) return { text: t("forecast.no-limit"), tone: "" };
  if (at === null) return { text: t(store.samples_per_day > 0 ? "forecast.out-of-sight" : "forecast.unknown"), tone: "" };
  const left = at - now;
  return { text: untilFull(at, left), tone: left < atOnce ? "alarm" : left < soon ? "fault" : "" };
}

/** No more exact than a forecast is: days, weeks, months, years. */
function untilFull(at: number, left: number): string {
  if (left < day) return t("forecast.day", { at: date(at) });
  if (left < atOnce) return t("forecast.days", { n: Math.round(left / day), at: date(at) });
  if (left < soon) return t("forecast.weeks", { n: Math.round(left / (7 * day)), at: date(at) });
  if (left < 2 * year) return t("forecast.months", { n: Math.round(left / month), at: ofMonth.format(at) });
  return t("forecast.years", { n: Math.round(left / year), at: ofYear.format(at) });
}

/** How long it has been so: "Tue 17 Nov 21:04, for 3 h 12 min". */
export function sinceWords(since: number, now: number): string {
  return t("store.since-for", { at: near(since, now), span: span(Math.max(0, now - since) / 1000) });
}
