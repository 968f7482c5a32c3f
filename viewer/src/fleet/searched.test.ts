import { signal } from "@preact/signals";
import { describe, expect, it } from "vitest";
import type { LeanPlace } from "../api/tree";
import type { Latest } from "../api/types";
import { deviceWords, placeWords } from "./searched";

const place = (name: string): LeanPlace => ({ id: 1, name, organization_id: 1, device_ids: [] });
const latest: Latest = { device_id: 1, serial: "00000001", family: "wifi", model: "W3710", name: "Žlutá", state: "accepted", measured_at: null, received_at: null, interval: 60, late: false, silent: false, silent_since: null, signal_dbm: null, battery_percent: null, values: [] };

describe("what is found", () => {
  it("is a place by its name without capitals and marks", () => {
    expect(placeWords(place("Chladírna ŽĎÁR"))).toBe("chladirna zdar");
  });

  it("is a place by its new name once it has one", () => {
    const one = place("Freezer");
    expect(placeWords(one)).toBe("freezer");
    one.name = "Oven";
    expect(placeWords(one)).toBe("oven");
  });

  it("is a device by name, serial number and model of now", () => {
    const device = signal(latest);
    expect(deviceWords(device)).toBe("zluta 00000001 w3710");
    device.value = { ...latest, received_at: "2026-11-21T13:16:00Z" };
    expect(deviceWords(device)).toBe("zluta 00000001 w3710");
    device.value = { ...latest, name: "" };
    expect(deviceWords(device)).toBe("00000001 00000001 w3710");
  });
});
