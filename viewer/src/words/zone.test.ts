import { describe, expect, it } from "vitest";
import { dayBegin, fromLocalText, instantOf, isZone, localText, minutesAhead } from "./zone";

// The tests run in Europe/Prague, which is what "" means here.
const winter = Date.UTC(2026, 10, 21, 13, 16, 5, 250);

describe("minutesAhead", () => {
  it.each([
    ["", winter, 60],
    ["Europe/Prague", winter, 60],
    ["Europe/Prague", Date.UTC(2026, 6, 1), 120],
    ["UTC", winter, 0],
    ["America/St_Johns", winter, -210],
    ["Asia/Kathmandu", winter, 345],
    ["Pacific/Kiritimati", winter, 840],
    ["No/Such", winter, 60],
  ])("of %s at %d is %d", (zone, at, want) => expect(minutesAhead(at, zone)).toBe(want));
});

describe("instantOf", () => {
  const local = (...of: [number, number, number, number, number]) => Date.UTC(...of);
  it.each([
    ["an ordinary time", local(2026, 10, 21, 14, 16), "Europe/Prague", Date.UTC(2026, 10, 21, 13, 16)],
    ["the last hour of summer time", local(2026, 9, 25, 1, 59), "Europe/Prague", Date.UTC(2026, 9, 24, 23, 59)],
    ["a time that comes twice, the first", local(2026, 9, 25, 2, 30), "Europe/Prague", Date.UTC(2026, 9, 25, 0, 30)],
    ["a time after it came twice", local(2026, 9, 25, 3, 0), "Europe/Prague", Date.UTC(2026, 9, 25, 2, 0)],
    ["a time that never comes", local(2026, 2, 29, 2, 30), "Europe/Prague", Date.UTC(2026, 2, 29, 1, 30)],
    ["a zone west of UTC", local(2026, 10, 20, 23, 0), "America/New_York", Date.UTC(2026, 10, 21, 4, 0)],
  ])("%s", (_name, at, zone, want) => expect(new Date(instantOf(at, zone)).toISOString()).toBe(new Date(want).toISOString()));

  it("is the way back of localText at every hour of a year", () => {
    for (let at = Date.UTC(2026, 0, 1); at < Date.UTC(2027, 0, 1); at += 3_600_000) {
      const back = fromLocalText(localText(at, "Europe/Prague"), "Europe/Prague");
      // The second hour of the two that are alike leads to the first.
      if (at === Date.UTC(2026, 9, 25, 1)) expect(back).toBe(at - 3_600_000);
      else expect(back).toBe(at);
    }
  });
});

it("the day begins at midnight of the zone, also when the clocks change", () => {
  expect(new Date(dayBegin(winter, "Asia/Tokyo")).toISOString()).toBe("2026-11-20T15:00:00.000Z");
  expect(new Date(dayBegin(Date.UTC(2026, 9, 25, 12), "Europe/Prague")).toISOString()).toBe("2026-10-24T22:00:00.000Z");
});

it("a field that is not filled in is no instant", () => expect(fromLocalText("", "UTC")).toBeNaN());

it("knows what is a zone", () => {
  expect(isZone("Europe/Prague")).toBe(true);
  expect(isZone("")).toBe(false);
  expect(isZone("Europe/Nowhere")).toBe(false);
});
