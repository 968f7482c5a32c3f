import { describe, expect, it } from "vitest";
import type { DayCounts, DeviceDays } from "../api/proof";
import { byDay, dayAfter, dayName, dayOf, daysOf, daysWords, fleetFigures, gradeOf, isWeekend, listOf, matching, missingPercent, monthAfter, monthName, readPeriod, startOf, stateOfDay, weekdayLetter } from "./days";

const now = Date.UTC(2026, 10, 21, 23, 30);
const counts = (change: Partial<DayCounts> = {}): DayCounts => ({ day: "2026-11-20", expected: 1_440, received: 1_440, late: 0, missing: 0, uncertain: 0, ...change });

function device(id: number, days: DayCounts[], change: Partial<DeviceDays> = {}): DeviceDays {
  const sum = (key: "expected" | "received" | "late" | "missing" | "uncertain") => days.reduce((s, d) => s + d[key], 0);
  return { device_id: id, device: `Room ${id}`, place_id: id, place: "", expected: sum("expected"), received: sum("received"), late: sum("late"), missing: sum("missing"), uncertain: sum("uncertain"), duplicates: 0, conflicts: 0, extra: 0, days, ...change };
}

describe("UTC days", () => {
  it("are those of UTC in every zone", () => {
    // Half an hour after midnight in Prague, where these tests run, it is still the day before in UTC.
    expect(dayOf(now)).toBe("2026-11-21");
    expect(startOf("2026-11-21")).toBe(Date.UTC(2026, 10, 21));
    expect(dayName("2026-11-20")).toBe("Fri 20 Nov 2026");
    expect(weekdayLetter("2026-11-20")).toBe("F");
    expect([isWeekend("2026-11-20"), isWeekend("2026-11-21"), isWeekend("2026-11-22"), isWeekend("2026-11-23")]).toEqual([false, true, true, false]);
  });

  it.each(["2026-11-31", "2026-13-01", "20261101", "", "2026-11-01T00:00"])("%s is none", (day) => expect(startOf(day)).toBeNull());

  it("follow each other across daylight saving and leap days", () => {
    expect(dayAfter("2026-10-25")).toBe("2026-10-26");
    expect(dayAfter("2028-02-28")).toBe("2028-02-29");
    expect(dayAfter("2026-01-01", -1)).toBe("2025-12-31");
    expect(listOf({ from: "2026-03-28", to: "2026-03-31" })).toEqual(["2026-03-28", "2026-03-29", "2026-03-30"]);
  });
});

describe("the period", () => {
  it("is thirty finished days and today", () => {
    const days = daysOf("recent", now);
    expect(days).toEqual({ from: "2026-10-22", to: "2026-11-22" });
    expect(listOf(days)).toHaveLength(31);
    expect(daysWords(days)).toBe("22 Oct 2026 to 21 Nov 2026");
  });

  it("is a month, without days that have not begun", () => {
    expect(daysOf({ month: "2026-02" }, now)).toEqual({ from: "2026-02-01", to: "2026-03-01" });
    expect(daysOf({ month: "2026-11" }, now)).toEqual({ from: "2026-11-01", to: "2026-11-22" });
  });

  it.each([
    ["", "recent"],
    ["month=2026-10", { month: "2026-10" }],
    ["month=2026-12", "recent"],
    ["month=2026-13", "recent"],
    ["month=1999-12", "recent"],
    ["month=<b>", "recent"],
  ])("of the address %s is %j", (search, want) => expect(readPeriod(new URLSearchParams(search), now)).toEqual(want));

  it("steps over the turn of the year", () => {
    expect(monthAfter("2026-12")).toBe("2027-01");
    expect(monthAfter("2026-01", -1)).toBe("2025-12");
    expect(monthName("2026-02")).toBe("February 2026");
  });
});

describe("a day", () => {
  it.each([
    ["none", undefined],
    ["none", counts({ expected: 0, received: 0 })],
    ["complete", counts()],
    ["late", counts({ late: 3 })],
    ["uncertain", counts({ uncertain: 2, late: 3 })],
    ["missing", counts({ missing: 1, uncertain: 2, late: 3 })],
    ["missing", counts({ expected: 0, received: 0, missing: 1 })],
  ] as const)("is %s", (want, of) => expect(stateOfDay(of)).toBe(want));

  it.each([
    [0, "", 1],
    [1, "<1", 1],
    [14, "<1", 1],
    [15, "1", 1],
    [143, "10", 1],
    [144, "10", 2],
    [719, "50", 2],
    [720, "50", 3],
    [1_439, "99", 3],
    [1_440, "100", 3],
  ])("that lacks %i of 1,440 shows %s in step %i", (missing, text, grade) => {
    expect(missingPercent(counts({ missing }))).toBe(text);
    expect(gradeOf(counts({ missing }))).toBe(grade);
  });
});

describe("a fleet", () => {
  const days = { from: "2026-11-19", to: "2026-11-22" };
  const whole = ["2026-11-19", "2026-11-20", "2026-11-21"].map((day) => counts({ day }));

  it("adds up, and counts each device that lacks something once", () => {
    const list = [device(1, [counts({ day: "2026-11-19", missing: 9, received: 1_431, uncertain: 1 }), ...whole.slice(1)]), device(2, [counts({ day: "2026-11-19", uncertain: 2, late: 4 }), ...whole.slice(1)]), device(3, whole)];
    expect(fleetFigures(list, days, () => true)).toEqual({ devices: 3, lacking: 1, unsure: 1, uncounted: 0, expected: 12_960, received: 12_951, late: 4, missing: 9, uncertain: 3 });
  });

  it.each([
    ["all days", whole, true, 0],
    ["the days since its first", whole.slice(1), true, 0],
    ["not yesterday", [whole[0]!, whole[2]!], true, 1],
    ["not today", whole.slice(0, 2), true, 1],
    ["not the days after it was retired", whole.slice(0, 1), false, 0],
    ["not a day before it was retired", [whole[0]!, whole[2]!], false, 1],
    ["no day", [], true, 0],
  ])("of whose device %s are counted", (_name, list, accepted, want) => {
    expect(fleetFigures([device(1, list)], days, () => accepted).uncounted).toBe(want);
  });

  it("is searched by name and place", () => {
    const list = { ...days, devices: [device(1, whole, { place: "Cold store" }), device(2, whole)] };
    expect(matching(list, " cold ").map((d) => d.device_id)).toEqual([1]);
    expect(matching(list, "ROOM 2").map((d) => d.device_id)).toEqual([2]);
    expect(matching(list, "")).toHaveLength(2);
    expect(byDay(list.devices[0]!).get("2026-11-20")).toEqual(whole[1]);
  });
});
