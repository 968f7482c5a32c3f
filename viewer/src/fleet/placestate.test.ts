import { describe, expect, it } from "vitest";
import type { LeanPlace } from "../api/tree";
import type { Latest, LatestValue } from "../api/types";
import { surveyPlaces, viewOf, withPlaces } from "./placestate";

const now = Date.UTC(2026, 10, 21, 13, 16);
const at = (secondsAgo: number) => new Date(now - secondsAgo * 1000).toISOString();
const value = (channel: number, quality = "good"): LatestValue => ({ channel_id: channel, number: 1, name: "", quantity: "temperature", unit: "°C", decimals: 1, value: 4.7, quality });

function device(id: number, change: Partial<Latest> = {}): Latest {
  return { device_id: id, serial: `0000000${id}`, family: "wifi", model: "W3710", name: "", state: "accepted", measured_at: at(30), received_at: at(30), interval: 60, late: false, silent: false, silent_since: null, signal_dbm: null, battery_percent: null, values: [value(id * 10), value(id * 10 + 1)], ...change };
}

const place = (id: number, devices: number[], change: Partial<LeanPlace> = {}): LeanPlace => ({ id, name: `Room ${id}`, organization_id: 1, device_ids: devices, ...change });
const among = (...all: Latest[]) => (id: number) => all.find((d) => d.device_id === id);

describe("a place", () => {
  it("shows the values of all its devices, and the newest time", () => {
    const view = viewOf(place(1, [1, 2]), among(device(1, { received_at: at(50) }), device(2)), now);
    expect(view.values.map((v) => v.channel_id)).toEqual([10, 11, 20, 21]);
    expect(view).toMatchObject({ state: "reporting", received: now - 30_000 });
  });

  it("shows only the channels that are there: the others of the device are elsewhere", () => {
    const split = device(1, { values: [value(10), value(11, "good alarm1-high")] });
    const left = viewOf(place(1, [1], { channel_ids: [10], series_ids: [7] }), among(split), now);
    expect(left.values).toMatchObject([{ channel_id: 10, series_id: 7, device_id: 1 }]);
    expect(left.state).toBe("reporting");
    expect(viewOf(place(2, [1], { channel_ids: [11], series_ids: [11] }), among(split), now).state).toBe("alarm");
  });

  it.each<[string, Latest[], string]>([
    ["an alarm over a silent device", [device(1, { silent: true }), device(2, { values: [value(20, "good alarm1")] })], "alarm"],
    ["a fault over silence", [device(1, { silent: true }), device(2, { values: [value(20, "error-1")] })], "fault"],
    ["silence over what was not heard yet", [device(1, { received_at: null }), device(2, { silent: true })], "silent"],
    ["all well", [device(1), device(2)], "reporting"],
    ["no device that reports", [], "vacant"],
  ])("counts in the gravest state of its devices: %s", (_name, devices, want) => expect(viewOf(place(1, [1, 2]), among(...devices), now).state).toBe(want));
});

describe("the survey", () => {
  it("counts every place in exactly one state, and puts the gravest first", () => {
    const devices = among(device(1), device(2, { silent: true }), device(3, { values: [value(30, "error-1")] }), device(4, { values: [value(40, "good alarm2")] }));
    const { census, attention, others } = surveyPlaces([place(1, [1]), place(2, [2]), place(3, [3]), place(4, [4]), place(5, []), place(6, [99])], devices, now);
    expect(census).toEqual({ reporting: 1, silent: 1, fault: 1, alarm: 1, unheard: 0, vacant: 2 });
    expect(attention).toEqual([4, 3, 2]);
    expect(others).toEqual([1, 5, 6]);
  });
});

describe("places that are loaded again", () => {
  const before = new Map([1, 2].map((id) => [id, place(id, [id], { channel_ids: [id * 10] })]));
  const again = (id: number, change: Partial<LeanPlace> = {}) => place(id, [id], { channel_ids: [id * 10], ...change });

  it("are the very same where nothing changed", () => {
    expect(withPlaces(before, [again(1), again(2)])).toBe(before);
  });

  it.each<[string, LeanPlace[], number[]]>([
    ["one more", [again(1), again(2), again(3)], [1, 2, 3]],
    ["one fewer", [again(2)], [2]],
    ["one closed", [again(1, { closed: true }), again(2)], [2]],
  ])("are others with %s, and those that stayed are the same", (_, list, ids) => {
    const after = withPlaces(before, list);
    expect([...after.keys()]).toEqual(ids);
    expect(after.get(2)).toBe(before.get(2));
  });

  it("take over what changed of one", () => {
    const after = withPlaces(before, [again(1), again(2, { channel_ids: [21] })]);
    expect(after.get(1)).toBe(before.get(1));
    expect(after.get(2)?.channel_ids).toEqual([21]);
  });
});

describe("the time moving on", () => {
  it("makes a device silent whose message was looked at before", () => {
    const one = device(1);
    const state = (later: number) => viewOf(place(1, [1]), among(one), now + later).state;
    expect([state(0), state(119_000), state(121_000), state(0)]).toEqual(["reporting", "reporting", "silent", "reporting"]);
  });

  it("does not make the part of a device at a place anew", () => {
    const split = device(1);
    const here = place(1, [1], { channel_ids: [10], series_ids: [7] });
    const part = (later: number) => viewOf(here, among(split), now + later).devices[0];
    expect(part(1_000)).toBe(part(0));
    expect(viewOf(place(1, [1], { channel_ids: [11], series_ids: [11] }), among(split), now).devices[0]?.values.map((v) => v.channel_id)).toEqual([11]);
  });
});
