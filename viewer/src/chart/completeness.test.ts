import { expect, it } from "vitest";
import type { Completeness } from "../api/types";
import { completenessWords, gapAt, gapWords, spansOf, watchedOf } from "./completeness";

const none: Completeness = { from: "", to: "", expected: 10_080, received: 10_080, late: 0, missing: 0, uncertain: 0, duplicates: 0, conflicts: 0, extra: 0, gaps: [] };
const gap = (messages: number, cause: string) => ({ from: "", to: "", messages, cause });

it.each<[string, Partial<Completeness>]>([
  ["Received 10,080 of 10,080, nothing missing", {}],
  ["Received 9,780 of 10,080, 480 late, 300 missing: cause not known", { received: 9_780, late: 480, missing: 300, gaps: [gap(100, "unknown"), gap(200, "unknown")] }],
  ["Received 7 of 10, 3 missing: 2 no network, 1 server not running", { expected: 10, received: 7, missing: 3, gaps: [gap(1, "server-down"), gap(2, "no-network")] }],
  ["Received 9 of 10, 1 missing", { expected: 10, received: 9, missing: 1 }],
  ["Nothing was expected yet", { expected: 0, received: 0 }],
  ["Received 12 messages, how many were expected is not known", { expected: null, received: 12 }],
  ["Received 10 of 10, 2 received twice and stored once, 1 sent out of turn, nothing missing", { expected: 10, received: 10, duplicates: 2, extra: 1 }],
])("says %s", (want, change) => {
  expect(completenessWords({ ...none, ...change })).toBe(want);
});

it("finds the gap at an instant: its end is not in it", () => {
  const gaps = [{ from: "2026-11-20T10:00:00Z", to: "2026-11-20T11:00:00Z", messages: 60, cause: "unknown" }, { from: "no time", to: "", messages: 1, cause: "unknown" }];
  const spans = spansOf({ ...none, gaps });
  expect(spans).toHaveLength(1);
  expect(gapAt(spans, Date.parse("2026-11-20T10:00:00Z"))).toBe(gaps[0]);
  expect(gapAt(spans, Date.parse("2026-11-20T11:00:00Z"))).toBeUndefined();
  expect(spansOf(null)).toEqual([]);
});

it.each([
  ["60 missing: no network", gap(60, "no-network"), "wifi"],
  ["60 missing: cause not known", gap(60, "unknown"), "wifi"],
  ["60 missing: not known: this family reports none", gap(60, "unknown"), "websensor"],
  ["60 missing: device switched off, says Eva⟨U+202E⟩ (“Defrosted”)", { ...gap(60, "switched-off"), by: "Eva\u202E", note: "Defrosted", at: "2026-11-20T11:00:00Z" }, "websensor"],
])("says of a gap: %s", (want, of, family) => expect(gapWords(of, family)).toBe(want));

it.each<[string, ReturnType<typeof watchedOf>, number | null, number | null]>([
  ["all of it, where it began before", { from: 100, to: 200 }, 288, 0],
  ["from where it began", { from: 150, to: 200 }, 288, 150],
  ["not where it began afterwards", null, 288, 200],
  ["not where nothing was expected", null, 0, 0],
  ["where it began, though how much is not known", { from: 150, to: 200 }, null, 150],
  ["not where its beginning is not known", null, null, null],
])("takes a range as watched: %s", (_, want, expected, since) => {
  expect(watchedOf({ expected }, { from: 100, to: 300 }, since, 200)).toEqual(want);
});
