import { describe, expect, it } from "vitest";
import type { Latest, Status } from "../api/types";
import { elsewhere, isCatchingUp, isReturn, patience, stateOf, withMessage } from "./state";

const now = Date.UTC(2026, 10, 21, 13, 16);
const at = (secondsAgo: number) => new Date(now - secondsAgo * 1000).toISOString();

function device(change: Partial<Latest> = {}, quality = "good"): Latest {
  return {
    device_id: 1,
    serial: "00000001",
    family: "wifi",
    model: "W3710",
    name: "Hall A",
    state: "accepted",
    measured_at: at(30),
    received_at: at(30),
    interval: 60,
    late: false,
    silent: false,
    silent_since: null,
    signal_dbm: null,
    battery_percent: null,
    values: [{ channel_id: 7, number: 1, name: "", quantity: "temperature", unit: "°C", decimals: 1, value: 4.7, quality }],
    ...change,
  };
}

describe("stateOf", () => {
  it.each([
    ["reporting", device()],
    ["reporting", device({}, "good server-time late")],
    ["reporting", device({}, "not-ready")],
    ["alarm", device({}, "good alarm1-high")],
    ["fault", device({}, "error-53")],
    ["alarm", device({}, "above-range alarm1")],
    ["silent", device({ silent: true })],
    ["silent", device({ received_at: at(151) }, "good alarm1-high")],
    ["reporting", device({ received_at: at(150) })],
    ["silent", device({ interval: 10, received_at: at(91) })],
    ["reporting", device({ interval: null, received_at: at(899) })],
    ["silent", device({ interval: null, received_at: at(901) })],
    ["unheard", device({ measured_at: null, received_at: null, silent: true, values: [] })],
  ])("is %s", (want, d) => expect(stateOf(d, now)).toBe(want));

  it("waits two and a half intervals, but 90 s at least", () => {
    expect(patience(600)).toBe(1_500_000);
    expect(patience(1)).toBe(90_000);
  });
});

describe("withMessage", () => {
  const message = { measured_at: at(0), received_at: at(0), interval: 30, late: false, values: [{ channel_id: 7, value: 5.1, quality: "good late" }] };

  it("takes the new values and ends the silence", () => {
    const after = withMessage(device({ silent: true, silent_since: at(600) }), message);
    expect(after).toMatchObject({ silent: false, silent_since: null, interval: 30, measured_at: at(0), received_at: at(0) });
    expect(after?.values[0]).toMatchObject({ value: 5.1, quality: "good late", unit: "°C" });
  });

  it("keeps newer values when an older message comes late", () => {
    const after = withMessage(device({ silent: true }), { ...message, measured_at: at(900), late: true });
    expect(after).toMatchObject({ silent: false, measured_at: at(30), received_at: at(0), late: false });
    expect(after?.values[0]?.value).toBe(4.7);
  });

  it("gives up on a channel that it does not know", () => {
    expect(withMessage(device(), { ...message, values: [{ channel_id: 8, value: 1, quality: "good" }] })).toBeNull();
  });
});

it("names only those other states that hold a device", () => {
  expect(elsewhere({ new: 1, accepted: 2, suspended: 2, rejected: 0, retired: 1, reporting: 1, silent: 1 })).toEqual([
    { state: "suspended", n: 2 },
    { state: "retired", n: 1 },
  ]);
});

describe("the return of the database", () => {
  const at = "2026-11-21T13:16:00.000Z",
    long = "2026-11-21T12:16:00.000Z",
    short = "2026-11-21T13:15:50.000Z";
  const status = (state: Status["store"]["state"], oldest: string | null = null) => ({ at, store: { state }, journal: { waiting: oldest ? 9 : 0, oldest_waiting_at: oldest } }) as Status;

  it.each([
    ["nothing was known before", null, status("ok"), false],
    ["all is as it was", status("ok"), status("ok"), false],
    ["it goes away", status("ok"), status("away"), false],
    ["it stays away", status("away"), status("away"), false],
    ["it is back", status("away"), status("ok"), true],
    ["it can be read again", status("away"), status("read-only"), true],
    ["it can be written again", status("full"), status("ok"), true],
    ["it fills up", status("read-only"), status("full"), false],
    ["it catches up", status("ok", long), status("ok", long), false],
    ["it has caught up", status("ok", long), status("ok", short), true],
    ["it goes away while it catches up", status("ok", long), status("away"), false],
  ])("%s", (_name, before, now, want) => expect(isReturn(before, now)).toBe(want));

  it("is followed by catching up while something old waits", () => {
    expect(isCatchingUp(status("ok", long))).toBe(true);
    expect(isCatchingUp(status("ok", short))).toBe(false);
    expect(isCatchingUp(status("ok"))).toBe(false);
    expect(isCatchingUp(status("away", long))).toBe(false);
  });
});
