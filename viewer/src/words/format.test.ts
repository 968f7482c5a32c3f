import { afterEach, describe, expect, it } from "vitest";
import { ago, begun, bytes, clock, date, decimal, instant, millis, near, offset, percent, quantity, span, zone } from "./format";

const winter = Date.UTC(2026, 10, 21, 13, 16, 5);
const summer = Date.UTC(2026, 6, 1, 22, 30, 0);
const plain = (text: string) => text.replaceAll("\u00a0", " ");

it("says of what was so from the first instant that it is from the beginning", () => {
  expect(begun(Date.UTC(2000, 0, 1), winter)).toBe("the beginning");
  expect(begun(winter, winter)).toBe(near(winter, winter));
});

describe("times of another zone", () => {
  afterEach(() => void (zone.value = ""));

  it.each([
    ["Asia/Kathmandu", "21 Nov 2026 19:01:05 +05:45", "19:00"],
    ["America/New_York", "21 Nov 2026 08:16:05 −05:00", "08:15"],
    ["UTC", "21 Nov 2026 13:16:05 +00:00", "13:15"],
    ["No/Such", "21 Nov 2026 14:16:05 +01:00", "14:15"],
  ])("%s are printed in it with its offset", (name, want, short) => {
    zone.value = name;
    expect(instant(winter)).toBe(want);
    expect(near(winter - 60_000, winter)).toBe(short);
  });
});

describe("times", () => {
  it("are printed in the browser's zone with its offset", () => {
    expect(instant(winter)).toBe("21 Nov 2026 14:16:05 +01:00");
    expect(instant(summer, false)).toBe("2 Jul 2026 00:30 +02:00");
    expect(offset(summer)).toBe("+02:00");
    expect(date(summer)).toBe("2 Jul 2026");
    expect(clock(summer)).toBe("00:30");
  });

  it("are short where the day is known", () => {
    expect(near(winter - 60_000, winter)).toBe("14:15");
    expect(near(winter - 60_000, winter, true)).toBe("14:15:05");
    expect(near(winter - 4 * 86_400_000, winter)).toBe("Tue 17 Nov 14:16");
    expect(near(Date.UTC(2025, 0, 2, 3, 4), winter)).toBe("2 Jan 2025 04:04");
  });

  it.each([
    [null, null],
    [undefined, null],
    ["", null],
    ["nonsense", null],
    ["2026-11-21T13:16:05.000Z", winter],
  ])("millis(%s) is %s", (text, want) => expect(millis(text)).toBe(want));
});

describe("span", () => {
  it.each([
    [0, "0 s"],
    [60, "60 s"],
    [119.4, "119 s"],
    [120, "2 min"],
    [3_599, "59 min"],
    [4_320, "1 h 12 min"],
    [7_200, "2 h"],
    [86_400, "1 d"],
    [3 * 86_400 + 4 * 3_600, "3 d 4 h"],
    [20 * 86_400 + 4 * 3_600, "20 d"],
    [-5, "0 s"],
  ])("%f s is %s", (seconds, want) => expect(span(seconds)).toBe(want));

  it("says how long ago", () => {
    expect(ago(winter - 12_000, winter)).toBe("12 s ago");
    expect(ago(winter + 3_000, winter)).toBe("just now");
  });
});

describe("numbers", () => {
  it.each([
    [-18.64, 1, "−18.6"],
    [-0.04, 1, "0.0"],
    [0, 0, "0"],
    [1013.25, 1, "1,013.3"],
    [20.3, 99, "20.3000000000"],
    [20.3, -3, "20"],
    [20.3, NaN, "20"],
  ])("decimal(%f, %i) is %s", (value, decimals, want) => expect(decimal(value, decimals)).toBe(want));

  it("keep value and unit on one line", () => {
    expect(quantity(4.2, 1, "°C")).toBe("4.2\u00a0°C");
    expect(quantity(1, 0, "")).toBe("1");
    expect(quantity(1, 0, "\u202Ex")).toContain("⟨U+202E⟩");
  });

  it.each([
    [0, "0 B"],
    [999, "999 B"],
    [999_600, "1.0 MB"],
    [1_440_000, "1.4 MB"],
    [200_000_000, "200 MB"],
    [3e15, "3,000 TB"],
  ])("%d bytes are %s", (n, want) => expect(plain(bytes(n))).toBe(want));

  it.each([
    [1440, 1440, "100 %"],
    [14399, 14400, "99.9 %"],
    [993, 1000, "99.3 %"],
    [0, 10, "0 %"],
    [1, 100_000, "0.1 %"],
    [0, 0, ""],
  ])("%d of %d is %s", (part, of, want) => expect(plain(percent(part, of))).toBe(want));
});
