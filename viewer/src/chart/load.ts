import { ask } from "../api/client";
import type { BucketColumns, Completeness, RawColumns } from "../api/types";
import type { Range } from "./range";
import { ofBuckets, ofRaw, plan, type Series } from "./series";

/** A range as the API takes it. */
export function between(range: Range): string {
  return `from=${encodeURIComponent(new Date(range.from).toISOString())}&to=${encodeURIComponent(new Date(range.to).toISOString())}`;
}

/** Loads the samples of an address, or buckets where the samples would be too many to draw. */
export async function loadSeries(path: string, range: Range, interval: number | null, signal: AbortSignal): Promise<Series> {
  const chosen = plan(range, interval);
  if (chosen.raw) {
    const columns = await ask<RawColumns>(`${path}&limit=${chosen.limit}`, { signal });
    if (columns.next === null) return ofRaw(columns);
  }
  // More samples than were expected: the device sends faster than it says.
  const points = chosen.raw ? 1_100 : chosen.points;
  return ofBuckets(await ask<BucketColumns>(`${path}&points=${points}`, { signal }));
}

/** Loads the curve of a tile: the range in few buckets. The address of the samples ends where the range goes. */
export async function loadTrend(samples: string, range: Range, points: number, signal: AbortSignal): Promise<Series> {
  return ofBuckets(await ask<BucketColumns>(`${samples}${between(range)}&points=${points}`, { signal }));
}

/** Loads the completeness of a device or place: "/devices/12". */
export function loadCompleteness(of: string, range: Range, signal: AbortSignal): Promise<Completeness> {
  return ask<Completeness>(`${of}/completeness?${between(range)}`, { signal });
}
