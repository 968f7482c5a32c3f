import { t, type Key } from "./messages";
import { visible } from "./text";

/** A quality as the API writes it, taken apart: a reason word, then marks. */
export interface Quality {
  readonly reason: string;
  /** The number of a sensor error, null for every other reason. */
  readonly error: number | null;
  readonly marks: readonly string[];
}

/** Qualities are few and come again with every value; one that nobody knows must not fill the memory. */
const parsed = new Map<string, Quality>();
const mostParsed = 1_000;

export function parseQuality(text: string): Quality {
  const known = parsed.get(text);
  if (known) return known;
  const quality = takenApart(text);
  if (parsed.size < mostParsed) parsed.set(text, quality);
  return quality;
}

function takenApart(text: string): Quality {
  const [reason = "good", ...marks] = text.split(" ").filter(Boolean);
  const number = /^error-(\d+)$/.exec(reason)?.[1];
  return { reason: number === undefined ? reason : "error", error: number === undefined ? null : Number(number), marks };
}

const reasons: Record<string, Key> = {
  good: "quality.good",
  "above-range": "quality.above-range",
  "below-range": "quality.below-range",
  "not-ready": "quality.not-ready",
  "not-available": "quality.not-available",
};

const marks: Record<string, Key> = {
  alarm1: "mark.alarm1",
  "alarm1-high": "mark.alarm1-high",
  "alarm1-low": "mark.alarm1-low",
  alarm2: "mark.alarm2",
  "alarm2-high": "mark.alarm2-high",
  "alarm2-low": "mark.alarm2-low",
  "clock-invalid": "mark.clock-invalid",
  "server-time": "mark.server-time",
  test: "mark.test",
  late: "mark.late",
};

/** Why there is no value, in words. */
export function reasonWords(quality: Quality): string {
  if (quality.error !== null) return t("quality.error", { number: String(quality.error) });
  const key = reasons[quality.reason];
  return key ? t(key) : visible(quality.reason);
}

/** The marks in words. */
export function markWords(quality: Quality): string[] {
  return quality.marks.map((mark) => {
    const key = marks[mark];
    return key ? t(key) : visible(mark);
  });
}

/** The whole quality in words: "good, device alarm 1: high, arrived late". */
export function qualityWords(text: string): string {
  const quality = parseQuality(text);
  return [reasonWords(quality), ...markWords(quality)].join(", ");
}

/** Whether the sensor cannot measure: an error or beyond its range. One that is not ready or not there needs nobody. */
export function isFault(quality: Quality): boolean {
  return quality.reason === "error" || quality.reason === "above-range" || quality.reason === "below-range";
}

/** Whether the device itself gives an alarm. */
export function isAlarm(quality: Quality): boolean {
  return quality.marks.some((mark) => mark.startsWith("alarm"));
}

/** The marks that only say how a time was found; they are no reason to mark a sample in a chart or a list. */
const ordinary = new Set(["server-time"]);

/** Whether a person who looks for something unusual wants to see this sample. */
export function isRemarkable(text: string): boolean {
  const quality = parseQuality(text);
  return quality.reason !== "good" || quality.marks.some((mark) => !ordinary.has(mark));
}
