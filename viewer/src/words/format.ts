import { signal } from "@preact/signals";
import { locale, t } from "./messages";
import { visible } from "./text";
import { minutesAhead, named } from "./zone";

/** The zone in which times are shown, an IANA name; "" is the browser's own. What has read it is painted again when it changes. */
export const zone = signal("");

const nbsp = "\u00a0";
const minute = 60,
  hour = 3_600,
  day = 86_400;

const wholes = new Map<string, Intl.DateTimeFormat>();

function wholeIn(name: string): Intl.DateTimeFormat {
  let whole = wholes.get(name);
  if (!whole) wholes.set(name, (whole = new Intl.DateTimeFormat(locale, { ...wholeOptions, ...named(name) })));
  return whole;
}

const wholeOptions: Intl.DateTimeFormatOptions = {
  weekday: "short",
  year: "numeric",
  month: "short",
  day: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
};

type Parts = Record<"weekday" | "year" | "month" | "day" | "hour" | "minute" | "second", string>;

function parts(ms: number): Parts {
  const out: Partial<Parts> = {};
  for (const { type, value } of wholeIn(zone.value).formatToParts(ms)) if (type in blank) out[type as keyof Parts] = value;
  return { ...blank, ...out };
}
const blank: Parts = { weekday: "", year: "", month: "", day: "", hour: "", minute: "", second: "" };

/** Milliseconds since 1970 of a time of the API, or null. */
export function millis(time: string | null | undefined): number | null {
  if (!time) return null;
  const ms = Date.parse(time);
  return Number.isFinite(ms) ? ms : null;
}

/** The distance of the zone that is shown from UTC at that instant: "+01:00". */
export function offset(ms: number): string {
  const minutes = minutesAhead(ms, zone.value);
  const two = (n: number) => String(n).padStart(2, "0");
  const size = Math.abs(minutes);
  return `${minutes < 0 ? "−" : "+"}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

/** "21 Nov 2026" */
export function date(ms: number): string {
  const p = parts(ms);
  return t("date.day", { day: p.day, month: p.month, year: p.year });
}

/** "14:16", or with seconds "14:16:05" */
export function clock(ms: number, seconds = false): string {
  const p = parts(ms);
  return `${p.hour}:${p.minute}${seconds ? `:${p.second}` : ""}`;
}

/** "21 Nov 2026 14:16:05 +01:00" */
export function instant(ms: number, seconds = true): string {
  return `${date(ms)} ${clock(ms, seconds)} ${offset(ms)}`;
}

/** Short where the reader knows the day: "14:16" today, "Tue 17 Nov 14:16" within this year, else the whole date. */
export function near(ms: number, now: number, seconds = false): string {
  const a = parts(ms),
    b = parts(now);
  if (a.year !== b.year) return `${date(ms)} ${clock(ms, seconds)}`;
  if (a.month === b.month && a.day === b.day) return clock(ms, seconds);
  return `${a.weekday} ${a.day} ${a.month} ${clock(ms, seconds)}`;
}

/** The first instant that Halley keeps: what begins there was so from the beginning. */
const beginning = Date.UTC(2000, 0, 1);

/** Whether an instant stands for "always": what was so before anything was measured. */
export function isBeginning(ms: number): boolean {
  return ms <= beginning;
}

/** When something began, as near does, or that it was so from the beginning. */
export function begun(ms: number, now: number): string {
  return isBeginning(ms) ? t("time.beginning") : near(ms, now);
}

/** A length of time in at most two units: "45 s", "1 h 12 min", "3 d 4 h". */
export function span(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  const two = (big: string, small: number, text: string) => (small > 0 ? `${big} ${text}` : big);
  if (s < 2 * minute) return t("span.seconds", { n: s });
  if (s < hour) return t("span.minutes", { n: Math.floor(s / minute) });
  if (s < day) {
    const rest = Math.floor((s % hour) / minute);
    return two(t("span.hours", { n: Math.floor(s / hour) }), rest, t("span.minutes", { n: rest }));
  }
  const rest = Math.floor((s % day) / hour);
  return two(t("span.days", { n: Math.floor(s / day) }), s < 10 * day ? rest : 0, t("span.hours", { n: rest }));
}

/** How long before `now` it was: "12 s ago"; a clock that is a little ahead gives "just now". */
export function ago(ms: number, now: number): string {
  const seconds = (now - ms) / 1000;
  return seconds < 1 ? t("span.now") : t("span.ago", { span: span(seconds) });
}

const formats = new Map<number, Intl.NumberFormat>();

/** A number with a fixed count of decimals (0 to 10) and a real minus sign. */
export function decimal(value: number, decimals: number): string {
  const places = Math.min(10, Math.max(0, Math.trunc(decimals) || 0));
  let format = formats.get(places);
  if (!format) {
    format = new Intl.NumberFormat(locale, { minimumFractionDigits: places, maximumFractionDigits: places });
    formats.set(places, format);
  }
  const text = format.format(value).replace("-", "−");
  // What is rounded to nothing has no sign.
  return /[1-9∞]/.test(text) ? text : text.replace("−", "");
}

/** A value with its unit, kept on one line: "−18.6 °C". */
export function quantity(value: number, decimals: number, unit: string): string {
  const number = decimal(value, decimals);
  return unit ? `${number}${nbsp}${visible(unit)}` : number;
}

/** A size of storage: "1.4 MB", in thousands. */
export function bytes(n: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let size = n,
    unit = 0;
  while (size >= 999.5 && unit < units.length - 1) {
    size /= 1000;
    unit++;
  }
  return `${decimal(size, unit > 0 && size < 99.95 ? 1 : 0)}${nbsp}${units[unit] ?? ""}`;
}

/** A share in percent that says 100 only when nothing is missing and 0 only when all is. */
export function percent(part: number, of: number): string {
  if (of <= 0) return "";
  let share = Math.round((part / of) * 1000) / 10;
  if (share >= 100 && part < of) share = 99.9;
  if (share <= 0 && part > 0) share = 0.1;
  return `${decimal(share, share === 100 || share === 0 ? 0 : 1)}${nbsp}%`;
}
