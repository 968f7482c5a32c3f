import { describe, expect, it } from "vitest";
import type { RawColumns } from "../api/types";
import { drawn, figures, gapAfter, lateStretches, nearest, ofBuckets, ofRaw, plan, remarkable } from "./series";

const start = Date.UTC(2026, 10, 21, 12);
const minute = 60_000;

function raw(distances: number[], values: (number | null)[], quality: number[] = values.map(() => 0)): RawColumns {
  return { channel_id: 1, from: "", to: "", start: new Date(start).toISOString(), time: distances, value: values, quality, qualities: ["good", "good late", "error-1"], next: null };
}
const buckets = ofBuckets({
  channel_id: 1,
  from: "",
  to: "",
  width_ms: 10 * minute,
  start: new Date(start).toISOString(),
  time: [0, 10 * minute, 30 * minute],
  min: [1, 2, 3],
  mean: [2, 3, 4],
  max: [3, 4, 5],
  count: [10, 10, 20],
});

describe("plan", () => {
  const of = (hours: number, interval: number | null) => plan({ from: start, to: start + hours * 60 * minute }, interval);
  it("asks for samples up to a day of one a minute and for buckets beyond", () => {
    expect(of(24, 60)).toMatchObject({ raw: true });
    expect(of(24, null)).toMatchObject({ raw: true });
    expect(of(168, 60)).toEqual({ raw: false, points: 1100 });
    expect(of(24, 1)).toMatchObject({ raw: false });
    expect(of(168, 600)).toMatchObject({ raw: true });
  });
});

describe("columns", () => {
  it("of samples are taken apart", () => {
    const series = ofRaw(raw([0, minute, minute], [1, null, 3], [0, 2, 1]));
    expect(series.time).toEqual([start, start + minute, start + 2 * minute]);
    expect(series.quality).toEqual(["good", "error-1", "good late"]);
  });

  it("of buckets stand at their middle", () => {
    expect(buckets.time).toEqual([start + 5 * minute, start + 15 * minute, start + 45 * minute]);
  });

  it("of nothing are empty", () => {
    expect(ofRaw({ ...raw([], []), start: null }).time).toEqual([]);
  });
});

describe("gaps", () => {
  it("begin beyond two and a half intervals", () => {
    const joined = drawn(ofRaw(raw([0, 2.5 * minute], [1, 2])), 60);
    expect(joined.value).toEqual([1, 2]);
    const parted = drawn(ofRaw(raw([0, 2.6 * minute], [1, 2])), 60);
    expect(parted.value).toEqual([1, null, 2]);
    expect(parted.time[1]).toBe((start + 1.3 * minute) / 1000);
  });

  it("are empty buckets", () => expect(drawn(buckets, 60).value).toEqual([2, 3, null, 4]));

  it("are no empty buckets where messages are rarer than buckets", () => {
    expect(drawn(buckets, 3600).value).toEqual([2, 3, 4]);
  });

  it("follow the usual distance where the interval was longer before", () => {
    const times = [0, 5, 5, 5, 5, 5, 5, 5].map((m) => m * minute);
    expect(gapAfter(ofRaw(raw(times, times)), 10)).toBe(12.5 * minute);
  });

  it("do not take one gap of few samples for the usual distance", () => {
    expect(gapAfter(ofRaw(raw([0, 60 * minute], [1, 2])), 60)).toBe(2.5 * minute);
  });

  it("follow the usual distance where the interval is not known", () => {
    expect(gapAfter(ofRaw(raw([0, minute, minute, 9 * minute], [1, 2, 3, 4])), null)).toBe(2.5 * minute);
  });

  it("need two neighbours", () => expect(drawn(ofRaw(raw([0], [1])), null).value).toEqual([1]));

  it("two samples of one instant stay one point of the line", () => {
    const d = drawn(ofRaw(raw([0, 0, minute], [1, 2, 3])), 60);
    expect(d.time).toHaveLength(2);
    expect(d.value).toEqual([2, 3]);
  });
});

describe("figures", () => {
  it("weigh buckets by their samples", () => {
    expect(figures(buckets)).toEqual({ samples: 40, mean: 3.25, low: 1, high: 5 });
  });
  it("leave out what has no value", () => {
    expect(figures(ofRaw(raw([0, 1, 1], [1, null, 3])))).toEqual({ samples: 3, mean: 2, low: 1, high: 3 });
  });
  it("of no value are unknown", () => {
    expect(figures(ofRaw(raw([0], [null])))).toEqual({ samples: 1, mean: null, low: null, high: null });
  });
});

describe("remarkable samples", () => {
  const series = ofRaw(raw([0, minute, minute, minute, 60 * minute], [1, 2, null, 4, 5], [0, 1, 2, 1, 1]));
  it("are errors and late ones", () => expect(remarkable(series)).toEqual([1, 2, 3, 4]));
  it("are none in buckets", () => expect(remarkable(buckets)).toEqual([]));
  it("that came late make stretches", () => {
    expect(lateStretches(series, 60)).toEqual([
      { from: start + 0.5 * minute, to: start + 3.5 * minute },
      { from: start + 62.5 * minute, to: start + 63.5 * minute },
    ]);
  });
});

describe("nearest", () => {
  const series = ofRaw(raw([0, minute, minute], [1, 2, 3]));
  it.each([
    [start - 10, 0],
    [start + 0.4 * minute, 0],
    [start + 0.6 * minute, 1],
    [start + 9 * minute, null],
  ])("to %i is %s", (time, want) => expect(nearest(series, time, minute)).toBe(want));
});
