import type { Counts, DayCounts, DeviceDays, FleetCompleteness } from "../api/proof";
import { locale, t } from "../words/messages";

// Completeness is counted by UTC days, so that the same day means the same messages for everybody.

export const dayLength = 86_400_000;

/** Which UTC days are shown: the last thirty and today, or a month. */
export type Period = { month: string } | "recent";

/** UTC days, from inclusive and to exclusive: "2026-11-20". */
export interface Days {
  from: string;
  to: string;
}

/** The UTC day of an instant: "2026-11-20". */
export function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** The first instant of a UTC day, in milliseconds, or null where there is no such day. */
export function startOf(day: string): number | null {
  if (!/^\d{4}-\d\d-\d\d$/.test(day)) return null;
  const ms = Date.parse(`${day}T00:00:00Z`);
  return Number.isFinite(ms) && dayOf(ms) === day ? ms : null;
}

/** The UTC day so many days after another. */
export function dayAfter(day: string, days = 1): string {
  return dayOf((startOf(day) ?? 0) + days * dayLength);
}

/** As many finished days as are shown beside today. */
const recentDays = 30;

/** The UTC days of a period. Days that have not begun are left out. */
export function daysOf(period: Period, now: number): Days {
  const tomorrow = dayAfter(dayOf(now));
  if (period === "recent") return { from: dayAfter(tomorrow, -recentDays - 1), to: tomorrow };
  const from = `${period.month}-01`;
  const to = `${monthAfter(period.month)}-01`;
  return { from, to: to < tomorrow ? to : tomorrow };
}

/** Every day, the oldest first. */
export function listOf(days: Days): string[] {
  const out: string[] = [];
  for (let day = days.from; day < days.to; day = dayAfter(day)) out.push(day);
  return out;
}

/** The month of an instant in UTC: "2026-11". */
export function monthOf(ms: number): string {
  return dayOf(ms).slice(0, 7);
}

/** The month so many months after another. */
export function monthAfter(month: string, months = 1): string {
  const [year, number] = month.split("-").map(Number);
  return new Date(Date.UTC(year ?? 1970, (number ?? 1) - 1 + months, 1)).toISOString().slice(0, 7);
}

/** Reads a period from the address; what is not understood, or lies ahead, is the last thirty days. */
export function readPeriod(query: URLSearchParams, now: number): Period {
  const month = query.get("month") ?? "";
  if (!/^\d{4}-(0[1-9]|1[0-2])$/.test(month) || month < "2000-01" || month > monthOf(now)) return "recent";
  return { month };
}

const ofMonth = new Intl.DateTimeFormat(locale, { month: "long", year: "numeric", timeZone: "UTC" });
const ofDay = new Intl.DateTimeFormat(locale, { weekday: "short", day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
const ofWeekday = new Intl.DateTimeFormat(locale, { weekday: "narrow", timeZone: "UTC" });

/** "November 2026" */
export function monthName(month: string): string {
  return ofMonth.format(startOf(`${month}-01`) ?? 0);
}

function partsOf(day: string): Record<string, string> {
  return Object.fromEntries(ofDay.formatToParts(startOf(day) ?? 0).map((p) => [p.type, p.value]));
}

/** "20 Nov 2026" */
export function dayDate(day: string): string {
  const { day: number, month, year } = partsOf(day);
  return t("date.day", { day: number ?? "", month: month ?? "", year: year ?? "" });
}

/** "Fri 20 Nov 2026" */
export function dayName(day: string): string {
  return `${partsOf(day)["weekday"]} ${dayDate(day)}`;
}

/** The weekday in a letter. */
export function weekdayLetter(day: string): string {
  return ofWeekday.format(startOf(day) ?? 0);
}

export function isWeekend(day: string): boolean {
  const weekday = new Date(startOf(day) ?? 0).getUTCDay();
  return weekday === 0 || weekday === 6;
}

/** "22 Oct 2026 to 21 Nov 2026": the last day is the last that is included. */
export function daysWords(days: Days): string {
  return t("days.between", { from: dayDate(days.from), to: dayDate(dayAfter(days.to, -1)) });
}

/**
 * What a day is in the calendar. "none": nothing is known of it. "complete": all that was expected has come. "late": it has, but some
 * of it late. "uncertain": nothing is missing for certain. "missing": something is missing.
 */
export type DayState = "none" | "complete" | "late" | "uncertain" | "missing";

export function stateOfDay(counts: Counts | undefined): DayState {
  if (!counts) return "none";
  if (counts.missing > 0) return "missing";
  if (counts.uncertain > 0) return "uncertain";
  if (counts.expected <= 0) return "none";
  return counts.late > 0 ? "late" : "complete";
}

/** How much is missing, in three steps: below a tenth, below a half, a half and more. */
export function gradeOf(counts: Counts): 1 | 2 | 3 {
  const share = counts.expected > 0 ? counts.missing / counts.expected : 1;
  return share < 0.1 ? 1 : share < 0.5 ? 2 : 3;
}

/** How much is missing in whole percent, as a cell has room for it: never 0 where something is missing, nor 100 where not all is. */
export function missingPercent(counts: Counts): string {
  if (counts.missing <= 0) return "";
  const share = counts.expected > 0 ? (100 * counts.missing) / counts.expected : 100;
  if (share < 1) return "<1";
  return String(counts.missing >= counts.expected ? 100 : Math.min(99, Math.round(share)));
}

/** The figures of many devices together. */
export interface FleetFigures extends Counts {
  devices: number;
  /** How many of them lack something, and of how many it is not certain. */
  lacking: number;
  unsure: number;
  /** Of how many of them a day was left out since their first: it was not counted yet, or nothing is known of it. */
  uncounted: number;
}

/** Adds up what was counted of devices over some days. Of a device that is not accepted any more the last days may be left out. */
export function fleetFigures(devices: DeviceDays[], days: Days, isAccepted: (id: number) => boolean): FleetFigures {
  const sum: FleetFigures = { devices: devices.length, lacking: 0, unsure: 0, uncounted: 0, expected: 0, received: 0, late: 0, missing: 0, uncertain: 0 };
  for (const device of devices) {
    for (const key of ["expected", "received", "late", "missing", "uncertain"] as const) sum[key] += device[key];
    if (device.missing > 0) sum.lacking++;
    else if (device.uncertain > 0) sum.unsure++;
    if (leavesOut(device, isAccepted(device.device_id) ? days.to : dayAfter(device.days.at(-1)?.day ?? days.from))) sum.uncounted++;
  }
  return sum;
}

/** Whether a day between a device's first and some end is left out. */
function leavesOut(device: DeviceDays, to: string): boolean {
  const first = device.days[0]?.day;
  return first !== undefined && listOf({ from: first, to }).length > device.days.length;
}

/** The days of a device by their name. */
export function byDay(device: DeviceDays): ReadonlyMap<string, DayCounts> {
  return new Map(device.days.map((d) => [d.day, d]));
}

/** The devices whose name or place holds what is searched for, in the order given. */
export function matching(list: FleetCompleteness, search: string): DeviceDays[] {
  const wanted = search.trim().toLowerCase();
  return wanted ? list.devices.filter((d) => `${d.device} ${d.place}`.toLowerCase().includes(wanted)) : list.devices;
}
