import { ask } from "../api/client";
import type { BucketColumns, Completeness, RawColumns } from "../api/types";
import type { Range } from "./range";
import { ofBuckets, ofRaw, plan, type Series } from "./series";

function between(range: Range): string {
  return `from=${encodeURIComponent(new Date(range.from).toISOString())}&to=${encodeURIComponent(new Date(range.to).toISOString())}`;
}

/** The address of a channel's samples over a range, without the API's root. */
export function samplesPath(channel: number, range: Range): string {
  return `/channels/${channel}/samples?${between(range)}`;
}

/** Loads a channel's samples, or buckets where the samples would be too many to draw. */
export async function loadSeries(channel: number, range: Range, interval: number | null, signal: AbortSignal): Promise<Series> {
  const chosen = plan(range, interval);
  const path = samplesPath(channel, range);
  if (chosen.raw) {
    const columns = await ask<RawColumns>(`${path}&limit=${chosen.limit}`, { signal });
    if (columns.next === null) return ofRaw(columns);
  }
  // More samples than were expected: the device sends faster than it says.
  const points = chosen.raw ? 1_100 : chosen.points;
  return ofBuckets(await ask<BucketColumns>(`${path}&points=${points}`, { signal }));
}

/** Loads the curve of a tile: the channel's range in few buckets. */
export async function loadTrend(channel: number, range: Range, points: number, signal: AbortSignal): Promise<Series> {
  return ofBuckets(await ask<BucketColumns>(`${samplesPath(channel, range)}&points=${points}`, { signal }));
}

export function loadCompleteness(device: number, range: Range, signal: AbortSignal): Promise<Completeness> {
  return ask<Completeness>(`/devices/${device}/completeness?${between(range)}`, { signal });
}
