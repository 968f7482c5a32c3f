import { describe, expect, it } from "vitest";
import { causeName, channelName, channelTitle, deviceName, familyName, quantityName, sayableCauses } from "./device";
import { joined, t, tx } from "./messages";
import { isAlarm, isFault, isRemarkable, parseQuality, qualityWords } from "./quality";

describe("t", () => {
  it("chooses the form of the number", () => {
    expect(t("overview.waiting", { n: 1 })).toBe("1 new device waits for a decision");
    expect(t("overview.waiting", { n: 3 })).toBe("3 new devices wait for a decision");
    expect(t("overview.waiting", { n: 1200 })).toContain("1,200");
  });

  it("leaves braces in values alone", () => {
    expect(t("span.ago", { span: "{span}" })).toBe("{span} ago");
  });

  it("puts elements in", () => {
    const link = { type: "a" } as unknown as string;
    expect(tx("span.ago", { span: link })).toContain(link);
  });

  it("joins the parts of a sentence", () => expect(joined(["a", "b", "c"])).toBe("a, b, c"));
});

describe("names", () => {
  it("of devices fall back on the serial number", () => {
    expect(deviceName({ name: " ", serial: "00000001" })).toBe("00000001");
    expect(deviceName({ name: "Cold\u202Eroom", serial: "1" })).toBe("Cold⟨U+202E⟩room");
  });

  it("of channels fall back on quantity and number", () => {
    expect(channelName({ number: 2, name: "Probe", quantity: "temperature" })).toBe("Probe");
    expect(channelName({ number: 2, name: "", quantity: "dew point" })).toBe("Dew point");
    expect(channelName({ number: 2, name: "", quantity: "" })).toBe("Channel 2");
  });

  it("of channels are told apart", () => {
    const probes = [1, 2].map((number) => ({ number, name: "", quantity: "temperature" }));
    expect(channelTitle(probes[1]!, probes)).toBe("Temperature (channel 2)");
    expect(channelTitle(probes[1]!, [probes[1]!])).toBe("Temperature");
  });

  it("that this viewer does not know stay the server's", () => {
    expect(familyName("h\u202Eline")).toBe("h⟨U+202E⟩line");
    expect(quantityName("flow")).toBe("flow");
    expect(causeName("comet")).toBe("comet");
  });
});

describe("quality", () => {
  it.each([
    ["good", "good", false, false, false],
    ["good server-time", "good, time from the server", false, false, false],
    ["good server-time late", "good, time from the server, arrived late", false, false, true],
    ["good alarm1-high", "good, device alarm 1: high", false, true, true],
    ["error-53", "sensor error 53", true, false, true],
    ["above-range alarm2", "above the sensor's range, device alarm 2", true, true, true],
    ["not-ready", "sensor not ready yet", false, false, true],
    ["", "good", false, false, false],
    ["strange \u202Emark", "strange, ⟨U+202E⟩mark", false, false, true],
  ])("%s reads %s", (text, words, fault, alarm, remarkable) => {
    const quality = parseQuality(text);
    expect(qualityWords(text)).toBe(words);
    expect(isFault(quality)).toBe(fault);
    expect(isAlarm(quality)).toBe(alarm);
    expect(isRemarkable(text)).toBe(remarkable);
  });
});

describe("what a person may say of a gap", () => {
  it.each([
    ["unknown", false, 7],
    ["restart-or-off", false, 7],
    ["switched-off", true, 7],
    // Order numbers prove that it was running; what a message or the log proves stands.
    ["order-gap", false, 4],
    ["server-down", false, 0],
    ["quarantined", false, 0],
    ["no-network", false, 0],
    ["no-network", true, 7],
  ])("where the cause is %s, said by a person: %s", (cause, said, want) => expect(sayableCauses(cause, said)).toHaveLength(want));
});
