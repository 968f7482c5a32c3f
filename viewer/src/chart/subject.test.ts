import { expect, it } from "vitest";
import type { Segment } from "../api/tree";
import { ofPlace } from "./subject";

const beginning = "1970-01-01T00:00:00Z";
const heard = Date.parse("2026-11-20T08:00:00Z");
const segment = (device_id: number, from: string, to: string | null = null): Segment => ({ channel_id: device_id, device_id, device: "", serial: "", unit: "°C", from, to });
const since = (segments: Segment[]) => ofPlace(3, { segments, interval: 60, events: [], device: () => undefined }).since;

it.each<[string, number | null, Segment[]]>([
  ["since a device was put there", heard, [segment(1, "2026-11-20T08:00:00Z")]],
  ["since the first of its devices", heard, [segment(2, "2026-11-21T00:00:00Z"), segment(1, "2026-11-20T08:00:00Z", "2026-11-21T00:00:00Z")]],
  ["from an instant not known, where a device is there from the beginning", null, [segment(2, "2026-11-21T00:00:00Z"), segment(1, beginning, "2026-11-21T00:00:00Z")]],
  ["from an instant not known, where no device was ever there", null, []],
])("expects something of a place %s", (_, want, segments) => expect(since(segments)).toBe(want));

it("says a gap's cause only for the one device that was there", () => {
  const of = ofPlace(3, {
    segments: [segment(1, beginning, "2026-11-21T00:00:00Z"), segment(2, "2026-11-21T00:00:00Z")],
    interval: 60,
    events: [],
    device: (id) => ({ name: `device ${id}`, family: "wifi" }),
  });
  const swapped = Date.parse("2026-11-21T00:00:00Z");
  expect(of.deviceOf({ from: swapped - 1000, to: swapped })).toEqual({ id: 1, name: "device 1", family: "wifi" });
  expect(of.deviceOf({ from: swapped - 1000, to: swapped + 1000 })).toBeNull();
});
