import { expect, it } from "vitest";
import { numberLabels, timeLabels } from "./axes";

const at = (year: number, month: number, day: number, hour = 0, minute = 0, second = 0) => new Date(year, month, day, hour, minute, second).getTime() / 1000;
const day = 86_400;

it.each([
  ["seconds within minutes", [at(2026, 10, 21, 14, 16, 30)], 10, 60, ["14:16:30"]],
  ["hours within a day, the day at midnight", [at(2026, 10, 20, 21, 0), at(2026, 10, 21, 0, 0)], 3 * 3600, day, ["21:00", "Sat 21"]],
  ["days within a week", [at(2026, 10, 16, 0, 0), at(2026, 10, 17, 0, 0)], day, 7 * day, ["Mon 16", "Tue 17"]],
  ["dates within a month", [at(2026, 10, 1, 0, 0)], 2 * day, 31 * day, ["1 Nov"]],
  ["months within a year, the year in January", [at(2026, 10, 1, 0, 0), at(2027, 0, 1, 0, 0)], 30 * day, 366 * day, ["Nov", "2027"]],
  ["years within ten", [at(2026, 0, 1, 0, 0)], 366 * day, 3653 * day, ["2026"]],
])("labels %s", (_name, marks, step, length, want) => expect(timeLabels(marks, step, length)).toEqual(want));

it.each([
  [[-20, -19.5, -19], ["−20.0", "−19.5", "−19.0"]],
  [[0, 200, 400], ["0", "200", "400"]],
  [[0.1, 0.15], ["0.10", "0.15"]],
  [[57.5, 60], ["57.5", "60.0"]],
  [[0.1, 0.3, 0.5], ["0.1", "0.3", "0.5"]],
  [[1], ["1"]],
])("labels values %j", (marks, want) => expect(numberLabels(marks)).toEqual(want));
