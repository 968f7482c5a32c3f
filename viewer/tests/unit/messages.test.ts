import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

// The catalogue and the sources must agree: no key without a text, no text without a use, no words outside of it.

const source = join(import.meta.dirname, "../../src");
const text = (file: string) => readFileSync(file, "utf8");
const files = readdirSync(source, { recursive: true, encoding: "utf8" })
  .filter((f) => /\.tsx?$/.test(f) && !/\.test\.tsx?$/.test(f))
  .map((f) => join(source, f));
const all = files.map(text).join("\n");

type Entry = string | Record<string, string>;
const folder = join(source, "messages");
const catalogues = readdirSync(folder).map((f) => [f, JSON.parse(text(join(folder, f))) as Record<string, Entry>] as const);
const forms = (entry: Entry) => (typeof entry === "string" ? [entry] : Object.values(entry));
const holes = (form: string) => [...form.matchAll(/\{(\w+)\}/g)].map((m) => m[1]!).sort();

describe.each(catalogues)("%s", (_name, catalogue) => {
  const keys = Object.keys(catalogue);

  it("has a text for every key that the sources use", () => {
    const used = [...all.matchAll(/\bt[x]?\(\s*"([^"]+)"/g)].map((m) => m[1]!);
    expect(used.length).toBeGreaterThan(150);
    expect(used.filter((key) => !(key in catalogue))).toEqual([]);
  });

  it("has no key that the sources do not use", () => {
    expect(keys.filter((key) => key !== "locale" && !all.includes(`"${key}"`))).toEqual([]);
  });

  it("has every plural form of its language, and no other", () => {
    const wanted = new Intl.PluralRules(catalogue["locale"] as string).resolvedOptions().pluralCategories.sort();
    for (const key of keys) {
      const entry = catalogue[key]!;
      if (typeof entry !== "string") expect([key, Object.keys(entry).sort()]).toEqual([key, wanted]);
    }
  });

  it("says the same with the same values in every form and language", () => {
    const first = catalogues[0]![1];
    for (const key of keys) {
      const wanted = holes(forms(first[key]!)[0]!);
      for (const form of forms(catalogue[key]!)) expect([key, holes(form)]).toEqual([key, wanted]);
    }
  });

  it("has no empty text", () => {
    expect(keys.filter((key) => forms(catalogue[key]!).some((f) => f.trim() === ""))).toEqual([]);
  });

  it("has the same keys as every other catalogue", () => {
    expect(keys).toEqual(Object.keys(catalogues[0]![1]));
  });
});

describe("the sources", () => {
  const pages = files.filter((f) => f.endsWith(".tsx"));

  it.each(pages.map((f) => [f.slice(source.length + 1), f]))("%s holds no words of its own", (_name, file) => {
    const body = text(file);
    // Text between tags, and attributes that are read out. Code and names of files are no words.
    const between = [...body.matchAll(/>([^<>{}=;]*)<\//g)].map((m) => m[1]!.trim());
    const attributes = [...body.matchAll(/(?:aria-label|title|placeholder|alt)="([^"]*)"/g)].map((m) => m[1]!);
    const words = [...between, ...attributes].filter((w) => /\p{L}{2,}/u.test(w) && !/first-sign-in\.txt$|^halley user first$/.test(w));
    expect(words).toEqual([]);
  });

  it("mark no text as HTML", () => {
    expect(all).not.toMatch(/dangerouslySetInnerHTML|innerHTML|insertAdjacentHTML|document\.write/);
  });
});
