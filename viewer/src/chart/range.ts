// Which stretch of time a chart shows, and how it is written into the address.

/** A stretch of time, `from` inclusive, `to` exclusive, in milliseconds since 1970. */
export interface Range {
  from: number;
  to: number;
}

export type RangeName = "hour" | "day" | "week" | "month" | "year" | "decade";

/** What a chart shows: the newest stretch of some length, or a fixed one. */
export type View = { name: RangeName } | Range;

const hour = 3_600_000;
const day = 24 * hour;

/** The lengths in milliseconds. */
export const lengths: Record<RangeName, number> = {
  hour,
  day,
  week: 7 * day,
  month: 31 * day,
  year: 366 * day,
  decade: 3_653 * day,
};

export const rangeNames: readonly RangeName[] = ["hour", "day", "week", "month", "year", "decade"];

/** The shortest stretch that can be shown, and the longest. */
const shortest = 60_000;
const longest = 20 * 366 * day;
/** Device clocks run ahead at times: the future may be looked at, but not far. */
const ahead = day;

export function isNamed(view: View): view is { name: RangeName } {
  return "name" in view;
}

/** The stretch of time that a view shows now. */
export function rangeOf(view: View, now: number): Range {
  return isNamed(view) ? { from: now - lengths[view.name], to: now } : { from: view.from, to: view.to };
}

/** Brings a stretch to what can be shown, keeping its middle where that is possible. */
export function clamped(range: Range, now: number): Range {
  const length = Math.min(longest, Math.max(shortest, range.to - range.from));
  const middle = (range.from + range.to) / 2;
  const to = Math.min(Math.round(middle + length / 2), now + ahead);
  return { from: to - Math.round(length), to };
}

/** Moves by a part of the length: -0.5 is half a screen into the past. Never moves past now. */
export function moved(range: Range, part: number, now: number): Range {
  const length = range.to - range.from;
  const to = Math.min(range.to + length * part, Math.max(now, range.to));
  return clamped({ from: to - length, to }, now);
}

/** Zooms about the middle: a factor of 2 shows twice as much. At the right edge the newest stays in sight. */
export function zoomed(range: Range, factor: number, now: number): Range {
  const length = (range.to - range.from) * factor;
  const middle = (range.from + range.to) / 2;
  const to = Math.min(middle + length / 2, Math.max(now, range.to));
  return clamped({ from: to - length, to }, now);
}

/** Reads a view from the address; anything that is not understood is the last day. */
export function readView(query: URLSearchParams): View {
  const from = Date.parse(query.get("from") ?? ""),
    to = Date.parse(query.get("to") ?? "");
  if (Number.isFinite(from) && Number.isFinite(to) && from < to) return { from, to };
  const name = rangeNames.find((n) => n === query.get("range"));
  return { name: name ?? "day" };
}

/** Writes a view into the address; the last day is what stands there when nothing does. */
export function writeView(query: URLSearchParams, view: View): URLSearchParams {
  const after = new URLSearchParams(query);
  for (const key of ["range", "from", "to"]) after.delete(key);
  if (!isNamed(view)) {
    after.set("from", new Date(view.from).toISOString());
    after.set("to", new Date(view.to).toISOString());
  } else if (view.name !== "day") after.set("range", view.name);
  return after;
}
