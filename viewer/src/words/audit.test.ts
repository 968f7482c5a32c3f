import { describe, expect, it } from "vitest";
import { actGroups, actName, actorKind, deviceOf, differences } from "./audit";

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
    expect([deviceOf("device 12"), deviceOf("device 12 x"), deviceOf("token x")]).toEqual([12, null, null]);
  });
});

describe("what a change changed", () => {
  it.each<[string, unknown, unknown, ReturnType<typeof differences>]>([
    ["one value", '{"name":"a","state":"new"}', '{"name":"b","state":"new"}', [{ name: "name", old: "a", new: "b" }]],
    ["a value that was not there", "", '{"role":"reader"}', [{ name: "role", old: "", new: "reader" }]],
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

  it("is cut where it is endless", () => {
    const [one] = differences("", "x".repeat(10_000));
    expect(one?.new).toHaveLength(301);
  });
});
