import { describe, expect, it } from "vitest";
import { clamped, moved, rangeOf, readView, writeView, zoomed } from "./range";

const now = Date.UTC(2026, 10, 21, 13);
const hour = 3_600_000;

describe("a view", () => {
  it.each([
    ["", { name: "day" }],
    ["range=week", { name: "week" }],
    ["range=forever", { name: "day" }],
    ["from=2026-11-21T12:00:00.000Z&to=2026-11-21T13:00:00.000Z", { from: now - hour, to: now }],
    ["from=2026-11-21T13:00:00.000Z&to=2026-11-21T12:00:00.000Z", { name: "day" }],
    ["from=x&to=y", { name: "day" }],
  ])("is read from %s", (text, want) => expect(readView(new URLSearchParams(text))).toEqual(want));

  it("comes back as it was written and leaves the rest of the address alone", () => {
    for (const view of [{ name: "decade" as const }, { name: "day" as const }, { from: now - hour, to: now }]) {
      const written = writeView(new URLSearchParams("c=3&from=a&range=b"), view);
      expect(readView(written)).toEqual(view);
      expect(written.get("c")).toBe("3");
    }
  });

  it("of a name ends now", () => expect(rangeOf({ name: "hour" }, now)).toEqual({ from: now - hour, to: now }));
});

describe("moving and zooming", () => {
  const range = { from: now - 4 * hour, to: now - 2 * hour };

  it.each([
    ["into the past", moved(range, -0.5, now), { from: now - 5 * hour, to: now - 3 * hour }],
    ["towards now", moved(range, 0.5, now), { from: now - 3 * hour, to: now - hour }],
    ["never past now", moved(range, 5, now), { from: now - 2 * hour, to: now }],
    ["closer", zoomed(range, 0.5, now), { from: now - 3.5 * hour, to: now - 2.5 * hour }],
    ["away", zoomed(range, 2, now), { from: now - 5 * hour, to: now - hour }],
    ["away, not past now", zoomed(range, 4, now), { from: now - 8 * hour, to: now }],
  ])("goes %s", (_name, got, want) => expect(got).toEqual(want));

  it("shows neither less than a minute nor more than twenty years", () => {
    const tiny = clamped({ from: now, to: now + 1 }, now + hour);
    expect(tiny.to - tiny.from).toBe(60_000);
    const vast = clamped({ from: 0, to: now }, now);
    expect((vast.to - vast.from) / (366 * 24 * hour)).toBe(20);
  });
});
