import type { ComponentChildren } from "preact";
import en from "../messages/en.json";

// Every word that a person reads stands in a catalogue, under a key that says where it is used. A text that counts
// something has one form for every plural category of its language; the number is {n}.

export type Key = keyof typeof en;
type Entry = string | Partial<Record<Intl.LDMLPluralRule, string>>;
export type Values = Record<string, string | number>;

const catalogue: Record<Key, Entry> = en;

/** The language and region of the catalogue: dates and numbers are written its way, whatever the browser's. */
export const locale = en.locale;

const plural = new Intl.PluralRules(locale);
const whole = new Intl.NumberFormat(locale);

function form(key: Key, values: Record<string, unknown>): string {
  const entry: Entry | undefined = catalogue[key];
  if (entry === undefined) return key;
  if (typeof entry === "string") return entry;
  const n = values["n"];
  return entry[plural.select(typeof n === "number" ? n : 0)] ?? entry.other ?? key;
}

/** Gives the text of a key with its values put in; numbers are written as whole numbers of the language. */
export function t(key: Key, values: Values = {}): string {
  return form(key, values).replace(/\{(\w+)\}/g, (hole, name: string) => {
    const value = values[name];
    return value === undefined ? hole : typeof value === "number" ? whole.format(value) : value;
  });
}

/** Gives the text of a key with elements of the page put in, such as a link or a name set apart. */
export function tx(key: Key, values: Record<string, ComponentChildren>): ComponentChildren[] {
  return form(key, values)
    .split(/(\{\w+\})/)
    .map((part) => {
      const name = /^\{(\w+)\}$/.exec(part)?.[1];
      if (name === undefined || !(name in values)) return part;
      const value = values[name];
      return typeof value === "number" ? whole.format(value) : value;
    });
}

const list = new Intl.ListFormat(locale, { type: "unit", style: "long" });

/** Joins the parts of a sentence: "a, b, c". */
export function joined(parts: string[]): string {
  return list.format(parts);
}
