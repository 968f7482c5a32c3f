import { describe, expect, it } from "vitest";
import { isStirred, stir, takeStir } from "./activity";
import { entryOf, secretOf } from "./entry";
import { remaining, warned } from "./idle";
import { creationOptions, requestOptions, textOf } from "./passkey";
import { isGood, needsOf } from "./password";

const rule = { length: 8, digit: true, upper: true, lower: false, special: true };

describe("a password", () => {
  it.each([
    ["", ["length", "digit", "upper", "special"]],
    ["abcdefgh", ["digit", "upper", "special"]],
    ["Ábcdefg1", ["special"]],
    ["ABC 123 x", ["special"]],
    ["Abc-1", ["length"]],
    ["Abcdef-1", []],
    ["😀😀😀😀😀😀A1", []],
  ])("%j lacks %j", (password, lacks) => {
    expect(needsOf(rule, password).filter((n) => !n.met).map((n) => n.need)).toEqual(lacks);
    expect(isGood(rule, password)).toBe(lacks.length === 0);
  });

  it("is not asked for what the rule leaves out", () => expect(needsOf({ length: 0, digit: false, upper: false, lower: true, special: false }, "a")).toEqual([{ need: "lower", met: true }]));
});

describe("what an address brings", () => {
  it.each([
    ["#first=abc", { kind: "first", secret: "abc" }],
    ["#link=a%2Bb", { kind: "link", secret: "a+b" }],
    ["#sign-in=refused", { kind: "failed", code: "refused" }],
    ["#main", null],
    ["", null],
  ])("%j is %j", (hash, want) => expect(entryOf(hash)).toEqual(want));

  it("is taken out of what was pasted", () => expect([secretOf(" abc "), secretOf("https://halley:8443/#first=abc"), secretOf("x#link=d e")]).toEqual(["abc", "abc", "d"]));
});

describe("the end without activity", () => {
  it("is so many minutes after the last", () => {
    expect(remaining(1_000, 15, 1_000)).toBe(900_000);
    expect(remaining(1_000, 15, 902_000)).toBe(-1_000);
  });

  it.each([
    [60_001, 15, null],
    [60_000, 15, 60],
    [59_001, 15, 60],
    [1, 15, 1],
    [-5, 15, 0],
    [16_000, 0.5, null],
    [15_000, 0.5, 15],
  ])("with %d ms left of %d minutes warns of %j s", (left, minutes, want) => expect(warned(left, minutes)).toBe(want));
});

it("activity is told once", () => {
  takeStir();
  expect([isStirred(), takeStir()]).toEqual([false, false]);
  stir();
  expect([isStirred(), takeStir(), takeStir()]).toEqual([true, true, false]);
});

describe("a passkey", () => {
  const bytes = (of: unknown) => [...new Uint8Array(of as ArrayBuffer)];

  it("is made of what the server says, wrapped or not", () => {
    const plain = { challenge: "-_8", rp: { name: "Halley" }, user: { id: "AQI", name: "eva", displayName: "Eva" }, pubKeyCredParams: [], excludeCredentials: [{ type: "public-key", id: "Aw" }] };
    for (const options of [creationOptions(plain), creationOptions({ publicKey: plain })]) {
      expect(bytes(options.challenge)).toEqual([251, 255]);
      expect(bytes(options.user.id)).toEqual([1, 2]);
      expect(options.excludeCredentials?.map((c) => bytes(c.id))).toEqual([[3]]);
      expect(options.user.name).toBe("eva");
    }
  });

  it("is asked for by its id", () => {
    const options = requestOptions({ publicKey: { challenge: "AA", rpId: "halley", allowCredentials: [{ type: "public-key", id: "BQ", transports: ["usb"] }] } });
    expect(bytes(options.challenge)).toEqual([0]);
    expect(options.allowCredentials).toMatchObject([{ type: "public-key", transports: ["usb"] }]);
    expect(requestOptions(undefined).allowCredentials).toEqual([]);
  });

  it("is written without padding, and none as nothing", () => expect([textOf(new Uint8Array([251, 255]).buffer), textOf(null)]).toEqual(["-_8", ""]));
});
