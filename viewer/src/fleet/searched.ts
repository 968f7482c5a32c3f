import type { Signal } from "@preact/signals";
import type { LeanPlace } from "../api/tree";
import type { Latest } from "../api/types";
import { folded } from "../tree/nodes";
import { deviceName } from "../words/device";

// What places and devices are found by, made once: with thousands of places the page would otherwise stand still with every letter typed,
// and with every tick while something is searched for.

interface Words {
  of: string;
  folded: string;
}

const known = new WeakMap<object, Words>();

function once(key: object, of: string): string {
  const words = known.get(key);
  if (words?.of === of) return words.folded;
  const made = { of, folded: folded(of) };
  known.set(key, made);
  return made.folded;
}

/** The name of a place in small letters without marks. */
export function placeWords(place: LeanPlace): string {
  return once(place, place.name);
}

/** Name, serial number and model of a device in the same way; they are read without following it. */
export function deviceWords(device: Signal<Latest>): string {
  const { name, serial, model } = device.peek();
  return once(device, `${deviceName({ name, serial })} ${serial} ${model}`);
}
