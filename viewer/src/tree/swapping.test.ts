import { describe, expect, it } from "vitest";
import type { SwapPlan } from "../api/tree";
import type { Channel, Device } from "../api/types";
import { isConvertible, mapped, pairs, proposed } from "./swapping";

const channel = (id: number, quantity: string, unit: string): Channel => ({ id, number: id % 10, name: "", quantity, unit, decimals: 1 });
const old = [channel(10, "temperature", "°C"), channel(11, "humidity", "%RH")];
const fresh = [channel(20, "temperature", "°F"), channel(21, "temperature", "°C"), channel(22, "CO2", "ppm")];
const plan: SwapPlan = {
  from: {} as Device,
  to: {} as Device,
  channels: [
    { old: old[0]!, new: fresh[1]!, differs: [] },
    { old: old[1]!, new: null, differs: ["missing"] },
    { old: null, new: fresh[0]!, differs: ["new"] },
    { old: null, new: fresh[2]!, differs: ["new"] },
  ],
  warnings: [],
  at: "2026-11-21T13:16:00.000Z",
};
const said = (mapping: ReturnType<typeof proposed>) => pairs(plan, mapping).map((p) => `${p.old?.id ?? "-"}>${p.new?.id ?? "-"} ${p.differs.join()}`);

describe("the mapping of a swap", () => {
  it("is at first what the server proposes", () => expect(said(proposed(plan))).toEqual(["10>21 ", "11>- missing", "->20 new", "->22 new"]));

  it("says where units and quantities differ", () => {
    expect(said(mapped(proposed(plan), 10, 20))).toEqual(["10>20 unit", "11>- missing", "->21 new", "->22 new"]);
    expect(said(mapped(proposed(plan), 11, 22))).toEqual(["10>21 ", "11>22 quantity", "->20 new"]);
  });

  it("never gives one channel to two", () => expect(said(mapped(proposed(plan), 11, 21))).toEqual(["10>- missing", "11>21 quantity", "->20 new", "->22 new"]));

  it("knows between which units the server converts", () => {
    const pair = (a: string, b: string) => ({ old: channel(1, "temperature", a), new: channel(2, "temperature", b) });
    expect([isConvertible(pair("°C", "°F")), isConvertible(pair("hPa", "hPa")), isConvertible(pair("hPa", "inHg"))]).toEqual([true, true, false]);
  });

  it("ends a series where nothing goes on with it", () => expect(said(mapped(proposed(plan), 10, null))).toEqual(["10>- missing", "11>- missing", "->20 new", "->21 new", "->22 new"]));
});
