import type { BucketColumns, RawColumns } from "../api/types";
import { millis } from "../words/format";
import { isRemarkable } from "../words/quality";
import type { Range } from "./range";

/** How a stretch of time is asked for: every sample, or at most `points` buckets. */
export type Plan = { raw: true; limit: number } | { raw: false; points: number };

/** As many buckets as a week has in steps of ten minutes, with room to spare; so the server's rollups serve. */
const mostPoints = 1_100;
/** A day of samples a minute is shown sample by sample. */
const mostRaw = 1_600;
const assumedInterval = 60;

/** Chooses how to ask for a range of a device that sends every `interval` seconds. */
export function plan(range: Range, interval: number | null): Plan {
  const expected = (range.to - range.from) / 1000 / (interval || assumedInterval);
  return expected <= mostRaw ? { raw: true, limit: 4 * mostRaw } : { raw: false, points: mostPoints };
}

/** The samples of one channel over a stretch of time, in columns. Times are in milliseconds since 1970 and rise. */
export interface Series {
  /** When each sample was taken, or the middle of each bucket. */
  time: number[];
  /** The value or the bucket's mean; null where a sample has no value. */
  value: (number | null)[];
  /** The lowest and highest value of each bucket, null for samples. */
  low: (number | null)[] | null;
  high: (number | null)[] | null;
  /** How many samples each bucket holds, null for samples. */
  count: number[] | null;
  /** The quality of each sample, null for buckets. */
  quality: string[] | null;
  /** The width of a bucket in milliseconds, 0 for samples. */
  width: number;
}

function timesOf(columns: { start: string | null; time: number[] }): number[] {
  let at = millis(columns.start) ?? 0;
  return columns.time.map((distance) => (at += distance));
}

export function ofRaw(columns: RawColumns): Series {
  return {
    time: timesOf(columns),
    value: columns.value,
    low: null,
    high: null,
    count: null,
    quality: columns.quality.map((q) => columns.qualities[q] ?? "good"),
    width: 0,
  };
}

export function ofBuckets(columns: BucketColumns): Series {
  return {
    time: timesOf(columns).map((start) => start + columns.width_ms / 2),
    value: columns.mean,
    low: columns.min,
    high: columns.max,
    count: columns.count,
    quality: null,
    width: columns.width_ms,
  };
}

/** So many samples show what their usual distance is; of fewer, one gap would pass for it. */
const enough = 8;

/**
 * The distance in milliseconds beyond which two neighbours are not joined by a line. The device's interval of today need not be
 * that of the samples, so their usual distance counts where it is longer.
 */
export function gapAfter(series: Series, interval: number | null): number {
  const usual = median(distances(series.time));
  const known = (interval ?? 0) * 1000;
  const patience = 2.5 * (interval === null || series.time.length >= enough ? Math.max(known, usual) : known);
  // An empty bucket is a gap, but not where messages are rarer than buckets.
  return series.width > 0 ? Math.max(1.5 * series.width, patience + series.width) : patience;
}

function distances(times: number[]): number[] {
  return times.slice(1).map((t, i) => t - (times[i] ?? t));
}

function median(numbers: number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Infinity;
}

/** The columns of a series for drawing: seconds, and a null in each gap so that no line crosses it. */
export interface Drawn {
  time: number[];
  value: (number | null)[];
  low: (number | null)[];
  high: (number | null)[];
}

export function drawn(series: Series, interval: number | null): Drawn {
  const most = gapAfter(series, interval);
  const out: Drawn = { time: [], value: [], low: [], high: [] };
  series.time.forEach((time, i) => {
    const before = series.time[i - 1];
    if (before !== undefined && time - before > most) {
      out.time.push((before + time) / 2000);
      out.value.push(null);
      out.low.push(null);
      out.high.push(null);
    }
    // Two samples of one instant cannot both stand in a line; the later variant is drawn, the table shows both.
    const at = time / 1000;
    if (out.time.at(-1) === at) for (const column of [out.time, out.value, out.low, out.high]) column.pop();
    out.time.push(at);
    out.value.push(series.value[i] ?? null);
    out.low.push(series.low?.[i] ?? null);
    out.high.push(series.high?.[i] ?? null);
  });
  return out;
}

/** The figures of a stretch of time; those of values are null where there was none. */
export interface Figures {
  samples: number;
  mean: number | null;
  low: number | null;
  high: number | null;
}

export function figures(series: Series): Figures {
  let samples = 0,
    weight = 0,
    sum = 0,
    low = Infinity,
    high = -Infinity;
  series.value.forEach((value, i) => {
    const count = series.count?.[i] ?? 1;
    samples += count;
    if (value === null) return;
    weight += count;
    sum += value * count;
    low = Math.min(low, series.low?.[i] ?? value);
    high = Math.max(high, series.high?.[i] ?? value);
  });
  return weight ? { samples, mean: sum / weight, low, high } : { samples, mean: null, low: null, high: null };
}

/** The places of samples that a person who looks for something unusual wants to see; none for buckets. */
export function remarkable(series: Series): number[] {
  return (series.quality ?? []).flatMap((quality, i) => (isRemarkable(quality) ? [i] : []));
}

/** The stretches in which samples arrived late, each as wide as its samples and one interval. */
export function lateStretches(series: Series, interval: number | null): Range[] {
  const out: Range[] = [];
  const most = gapAfter(series, interval);
  const half = ((interval ?? 0) * 1000) / 2;
  (series.quality ?? []).forEach((quality, i) => {
    const time = series.time[i];
    if (time === undefined || !quality.split(" ").includes("late")) return;
    const last = out.at(-1);
    if (last && time - last.to <= most + half) last.to = time + half;
    else out.push({ from: time - half, to: time + half });
  });
  return out;
}

/** The value nearest to an instant, or null where none is near enough. Times must rise. */
export function nearest(series: Series, time: number, within: number): number | null {
  let low = 0,
    high = series.time.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((series.time[middle] ?? 0) < time) low = middle + 1;
    else high = middle;
  }
  let best: number | null = null;
  for (const i of [low - 1, low]) {
    const at = series.time[i];
    if (at === undefined || Math.abs(at - time) > within) continue;
    if (best === null || Math.abs(at - time) < Math.abs((series.time[best] ?? 0) - time)) best = i;
  }
  return best;
}
