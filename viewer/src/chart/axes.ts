import { decimal } from "../words/format";
import { locale } from "../words/messages";

// The labels of the axes, by the distance of their marks: never more than a reader needs to place them.

/** As fine as a value axis gets. */
const mostDecimals = 8;
const minute = 60,
  day = 86_400;

const format = (options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(locale, { hourCycle: "h23", ...options });
const clock = format({ hour: "2-digit", minute: "2-digit" });
const seconds = format({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
const weekday = format({ weekday: "short", day: "numeric" });
const monthDay = format({ day: "numeric", month: "short" });
const month = format({ month: "short" });
const year = format({ year: "numeric" });

/** The labels of marks in seconds since 1970 that stand `step` seconds apart over `length` seconds. */
export function timeLabels(marks: number[], step: number, length: number): string[] {
  return marks.map((mark) => {
    const at = new Date(mark * 1000);
    const midnight = at.getHours() === 0 && at.getMinutes() === 0 && at.getSeconds() === 0;
    if (step < minute) return seconds.format(at);
    if (step < day) return midnight ? dayLabel(at, length) : clock.format(at);
    if (step < 28 * day) return dayLabel(at, length);
    return at.getMonth() === 0 || step >= 360 * day ? year.format(at) : month.format(at);
  });
}

function dayLabel(at: Date, length: number): string {
  return length <= 10 * day ? weekday.format(at) : monthDay.format(at);
}

/** The labels of a value axis: as many decimals as tell neighbours apart. */
export function numberLabels(marks: number[]): string[] {
  const step = Math.abs((marks[1] ?? 1) - (marks[0] ?? 0));
  let decimals = 0;
  // Steps such as 2.5 need a decimal although they are greater than one.
  while (decimals < mostDecimals && Math.abs(step * 10 ** decimals - Math.round(step * 10 ** decimals)) > 1e-6) decimals++;
  return marks.map((mark) => decimal(mark, decimals));
}
