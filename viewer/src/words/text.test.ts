import { describe, expect, it } from "vitest";
import { indented, visible, visibleBody } from "./text";

describe("visible", () => {
  it.each([
    ["plain text stays", "Cold room 3 °C – ±5 % 冷蔵庫 ثلاجة", "Cold room 3 °C – ±5 % 冷蔵庫 ثلاجة"],
    ["an emoji stays", "🧊 room", "🧊 room"],
    ["a turned text shows what turns it", "a\u202Eb", "a⟨U+202E⟩b"],
    ["isolates show", "\u2066x\u2069", "⟨U+2066⟩x⟨U+2069⟩"],
    ["a zero width space shows", "a\u200Bb", "a⟨U+200B⟩b"],
    ["a control shows", "a\u0000\u001B[2J", "a⟨U+0000⟩⟨U+001B⟩[2J"],
    ["a line end shows", "a\nb", "a⟨U+000A⟩b"],
    ["delete and C1 show", "\u007F\u0085", "⟨U+007F⟩⟨U+0085⟩"],
    ["a tag character shows", "\u{E0041}", "⟨U+E0041⟩"],
    ["a lone surrogate shows", "\uD800x", "⟨U+D800⟩x"],
    ["a byte order mark shows", "\uFEFFx", "⟨U+FEFF⟩x"],
  ])("%s", (_name, text, want) => {
    expect(visible(text)).toBe(want);
  });

  it("keeps line ends and tabs of a body", () => {
    expect(visibleBody("a\r\n\tb\rc\u202E")).toBe("a\n\tb⟨U+000D⟩c⟨U+202E⟩");
  });
});

describe("indented", () => {
  it("breaks JSON and keeps every token as it was sent", () => {
    expect(indented('{"a":20.10,"b":[1,2],"c":{},"d":[],"a":"x{,\\"y"}')).toBe(
      '{\n  "a": 20.10,\n  "b": [\n    1,\n    2\n  ],\n  "c": {},\n  "d": [],\n  "a": "x{,\\"y"\n}',
    );
  });

  it("breaks XML between tags only", () => {
    expect(indented('<?xml version="1.0"?><a x="1>2"><b> 1 </b><c/><d></d></a>')).toBe(
      '<?xml version="1.0"?>\n<a x="1>2">\n  <b> 1 </b>\n  <c/>\n  <d></d>\n</a>',
    );
  });

  it.each([
    ["broken JSON", '{"a":'],
    ["broken XML", "<a <"],
    ["anything else", "temp=20.1"],
    ["nothing", ""],
  ])("gives up on %s", (_name, body) => {
    expect(indented(body)).toBeNull();
  });
});
