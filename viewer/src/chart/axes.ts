import { decimal, zone } from "../words/format";
import { locale } from "../words/messages";
import { minutesAhead, named } from "../words/zone";

// The labels of the axes, by the distance of their marks: never more than a reader needs to place them.

/** As fine as a value axis gets. */
const mostDecimals = 8;
const minute = 60,
  day = 86_400;

function formatsIn(name: string) {
  const format = (options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(locale, { hourCycle: "h23", ...options, ...named(name) });
  return {
    clock: format({ hour: "2-digit", minute: "2-digit" }),
    seconds: format({ hour: "2-digit", minute: "2-digit", second: "2-digit" }),
    weekday: format({ weekday: "short", day: "numeric" }),
    monthDay: format({ day: "numeric", month: "short" }),
    month: format({ month: "short" }),
    year: format({ year: "numeric" }),
  };
}

const known = new Map<string, ReturnType<typeof formatsIn>>();

function formats(): ReturnType<typeof formatsIn> {
  const name = zone.peek();
  const found = known.get(name) ?? formatsIn(name);
  known.set(name, found);
  return found;
}

/** The labels of marks in seconds since 1970 that stand `step` seconds apart over `length` seconds. */
export function timeLabels(marks: number[], step: number, length: number): string[] {
  const { clock, seconds, weekday, monthDay, month, year } = formats();
  const dayLabel = (at: number) => (length <= 10 * day ? weekday : monthDay).format(at);
  return marks.map((mark) => {
    const at = mark * 1000;
    const local = new Date(at + minutesAhead(at, zone.peek()) * 60_000);
    if (step < minute) return seconds.format(at);
    if (step < day) return local.getTime() % 86_400_000 === 0 ? dayLabel(at) : clock.format(at);
    if (step < 28 * day) return dayLabel(at);
    return local.getUTCMonth() === 0 || step >= 360 * day ? year.format(at) : month.format(at);
  });
}

/** The labels of a value axis: as many decimals as tell neighbours apart. */
export function numberLabels(marks: number[]): string[] {
  const step = Math.abs((marks[1] ?? 1) - (marks[0] ?? 0));
  let decimals = 0;
  // Steps such as 2.5 need a decimal although they are greater than one.
  while (decimals < mostDecimals && Math.abs(step * 10 ** decimals - Math.round(step * 10 ** decimals)) > 1e-6) decimals++;
  return marks.map((mark) => decimal(mark, decimals));
}
