// Instants and local times of any zone. A zone is an IANA name such as "Europe/Prague"; "" is the browser's own.

const formats = new Map<string, Intl.DateTimeFormat>();

/** The local time of an instant, as if it were one of UTC, in whole seconds. */
function wall(ms: number, zone: string): number {
  let format = formats.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat("en-GB", { year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric", hourCycle: "h23", ...named(zone) });
    formats.set(zone, format);
  }
  const part: Record<string, number> = {};
  for (const { type, value } of format.formatToParts(ms)) part[type] = Number(value);
  return Date.UTC(part["year"] ?? 0, (part["month"] ?? 1) - 1, part["day"] ?? 1, part["hour"] ?? 0, part["minute"] ?? 0, part["second"] ?? 0);
}

/** Whether this browser knows the zone; times of one that it does not know are shown in its own. */
export function isZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat("en-GB", { timeZone: zone });
    return zone !== "";
  } catch {
    return false;
  }
}

/** The option of a format for a zone. */
export function named(zone: string): { timeZone?: string } {
  return zone && isZone(zone) ? { timeZone: zone } : {};
}

/** How far a zone is ahead of UTC at an instant, in whole minutes. */
export function minutesAhead(ms: number, zone: string): number {
  return Math.round((wall(ms, zone) - Math.floor(ms / 1000) * 1000) / 60_000);
}

/**
 * The instant of a local time that is written as if it were one of UTC. Of one that comes twice, when clocks are set back, the first;
 * one that never comes is moved on by as much as the clocks were.
 */
export function instantOf(local: number, zone: string): number {
  const before = local - minutesAhead(local - 86_400_000, zone) * 60_000;
  const after = local - minutesAhead(local + 86_400_000, zone) * 60_000;
  const fits = [before, after].filter((at) => at + minutesAhead(at, zone) * 60_000 === local);
  return fits.length ? Math.min(...fits) : before;
}

/** A local time as the browser's own field for local times writes it: "2026-11-21T14:16". */
export function localText(ms: number, zone: string): string {
  return new Date(ms + minutesAhead(ms, zone) * 60_000).toISOString().slice(0, 16);
}

/** The instant that such a field means; NaN where it is not filled in. */
export function fromLocalText(text: string, zone: string): number {
  const local = Date.parse(`${text}${text.length === 16 ? ":00" : ""}Z`);
  return Number.isFinite(local) ? instantOf(local, zone) : NaN;
}

/** When the day of an instant began. */
export function dayBegin(ms: number, zone: string): number {
  const local = ms + minutesAhead(ms, zone) * 60_000;
  return instantOf(Math.floor(local / 86_400_000) * 86_400_000, zone);
}
