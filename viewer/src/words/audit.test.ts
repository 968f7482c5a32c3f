import { describe, expect, it } from "vitest";
import { actGroups, actName, actorKind, thingOf, differences } from "./audit";

describe("an act", () => {
  it("has words of its own, or keeps the server's", () => {
    expect(actName("device.accept")).toBe("Device accepted");
    expect(actName("device.dance\u202E")).toBe("device.dance⟨U+202E⟩");
    const offered = actGroups.flatMap((group) => group.acts);
    for (const act of offered) expect(actName(act)).not.toBe(act);
    expect(new Set(offered).size).toBe(offered.length);
  });

  it("was done by somebody, by some means", () => {
    expect([actorKind("session"), actorKind("token"), actorKind("policy"), actorKind("robot\u202E")]).toEqual(["", "by token", "by policy", "robot⟨U+202E⟩"]);
  });

  it("was on a device, or not", () => {
    expect(["device 12", "place 3", "device 12 x", "token x"].map(thingOf)).toEqual([{ kind: "device", id: 12 }, { kind: "place", id: 3 }, null, null]);
  });
});

describe("what a change changed", () => {
  it.each<[string, unknown, unknown, ReturnType<typeof differences>]>([
    ["one value", '{"name":"a","state":"new"}', '{"name":"b","state":"new"}', [{ name: "name", old: "a", new: "b" }]],
    ["a value that was not there", "", '{"why":"defrosted"}', [{ name: "why", old: "", new: "defrosted" }]],
    ["a role and what it allows, in words", "", '{"role":"guest","permissions":["place.read","audit.read"]}', [{ name: "role", old: "", new: "Guest" }, { name: "permissions", old: "", new: "See places, See the audit trail" }]],
    ["a number whose thing is not known here", '{"organization_id":1}', '{"organization_id":4}', [{ name: "organization", old: "1", new: "4" }]],
    ["a setting, by its name in the configuration", '{"devices.max_body":"1"}', '{"devices.max_body":"2"}', [{ name: "devices.max_body", old: "1", new: "2" }]],
    ["an instant", "", '{"stopped_at":"2026-11-22T10:38:00.639Z"}', [{ name: "stopped at", old: "", new: "22 Nov 2026 11:38:00 +01:00" }]],
    ["a value that is gone", '{"uploads":3}', "", [{ name: "uploads", old: "3", new: "" }]],
    ["objects as they are", { set: false }, { set: true }, [{ name: "set", old: "no", new: "yes" }]],
    ["lists and objects in them", "{}", '{"a":[1,2],"b":{"c":null}}', [{ name: "a", old: "", new: "[1,2]" }, { name: "b", old: "", new: '{"c":null}' }]],
    ["texts that are no JSON", "before", "after\u202E", [{ name: "", old: "before", new: "after⟨U+202E⟩" }]],
    ["a text into an object", "before", '{"a":1}', [{ name: "", old: "before", new: "" }, { name: "a", old: "", new: "1" }]],
    ["an object into a text", '{"a":1}', "after", [{ name: "", old: "", new: "after" }, { name: "a", old: "1", new: "" }]],
    ["numbers and lists alone", "3", "[4]", [{ name: "", old: "3", new: "[4]" }]],
    ["nothing", "", "", []],
    ["nothing that is null", null, undefined, []],
    ["nothing where all is the same", '{"a":1}', '{"a":1}', []],
    ["hostile names and values", "", { "a\u202E": "\u0007" }, [{ name: "a⟨U+202E⟩", old: "", new: "⟨U+0007⟩" }]],
  ])("is %s", (_name, before, after, want) => expect(differences(before, after)).toEqual(want));

  it("names the things that numbers stand for", () => {
    const names = { organization: (id: number) => (id === 4 ? "Acme › Brno" : ""), place: () => "Cellar", device: () => "" };
    expect(differences({ parent_id: 2, place_id: 3 }, { parent_id: 4, place_id: 3 }, names)).toEqual([{ name: "parent", old: "2", new: "Acme › Brno (4)" }]);
  });

  it("is cut where it is endless", () => {
    const [one] = differences("", "x".repeat(10_000));
    expect(one?.new).toHaveLength(301);
  });
});
