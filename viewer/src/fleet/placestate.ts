import type { LeanPlace, PlaceValue } from "../api/tree";
import type { Latest } from "../api/types";
import { millis } from "../words/format";
import { stateOf, type TileState } from "./state";

// What a place shows follows from the newest messages of its devices.

/** A place counts in one state: the gravest of its devices, or "vacant" where no device reports there. */
export type PlaceState = TileState | "vacant";

/** What a place shows at one instant. */
export interface PlaceView {
  place: LeanPlace;
  state: PlaceState;
  /** The newest message of each of its devices, with only the values of this place. */
  devices: Latest[];
  values: PlaceValue[];
  /** When the newest message of any of them was received, in milliseconds. */
  received: number | null;
}

const gravity: Record<PlaceState, number> = { alarm: 0, fault: 1, silent: 2, unheard: 3, reporting: 4, vacant: 5 };

/** The parts of devices, as long as nothing new is known of the device or the place. */
const parts = new WeakMap<Latest, WeakMap<LeanPlace, Latest>>();

/** The part of a device that is at a place: a device of several channels may be at several. */
function partOf(device: Latest, place: LeanPlace): Latest {
  const { channel_ids: channels } = place;
  if (!channels || device.values.every((v) => channels.includes(v.channel_id))) return device;
  let known = parts.get(device);
  if (!known) parts.set(device, (known = new WeakMap()));
  let part = known.get(place);
  if (!part) known.set(place, (part = { ...device, values: device.values.filter((v) => channels.includes(v.channel_id)) }));
  return part;
}

/** Makes what a place shows of what its devices sent. */
export function viewOf(place: LeanPlace, device: (id: number) => Latest | undefined, now: number): PlaceView {
  const there = place.device_ids.flatMap((id) => {
    const known = device(id);
    return known ? [partOf(known, place)] : [];
  });
  let state: PlaceState = "vacant",
    received: number | null = null;
  for (const d of there) {
    const own = stateOf(d, now);
    if (gravity[own] < gravity[state]) state = own;
    const at = millis(d.received_at);
    if (at !== null && (received === null || at > received)) received = at;
  }
  const values = there.flatMap((d) => d.values.map((v): PlaceValue => ({ ...v, device_id: d.device_id, series_id: seriesOf(place, v.channel_id) })));
  return { place, state, devices: there, values, received };
}

function seriesOf(place: LeanPlace, channel: number): number | null {
  const at = place.channel_ids?.indexOf(channel) ?? -1;
  return place.series_ids?.[at] ?? null;
}

/** How many places count in each state. */
export type PlaceCensus = Record<PlaceState, number>;

export interface PlaceSurvey {
  census: PlaceCensus;
  /** The ids of those that need a person, the gravest first; of one gravity in the order given. */
  attention: number[];
  others: number[];
}

export function surveyPlaces(of: Iterable<LeanPlace>, device: (id: number) => Latest | undefined, now: number): PlaceSurvey {
  const census: PlaceCensus = { silent: 0, unheard: 0, alarm: 0, fault: 0, reporting: 0, vacant: 0 };
  const attention: { id: number; state: PlaceState }[] = [];
  const others: number[] = [];
  for (const place of of) {
    let state: PlaceState = "vacant";
    for (const id of place.device_ids) {
      const known = device(id);
      const own = known && stateOf(partOf(known, place), now);
      if (own && gravity[own] < gravity[state]) state = own;
    }
    census[state]++;
    if (state === "reporting" || state === "vacant") others.push(place.id);
    else attention.push({ id: place.id, state });
  }
  attention.sort((a, b) => gravity[a.state] - gravity[b.state]);
  return { census, attention: attention.map((a) => a.id), others };
}

const collator = new Intl.Collator("en", { numeric: true });

export function byName(a: LeanPlace, b: LeanPlace): number {
  return collator.compare(a.name, b.name) || a.id - b.id;
}

/** The open places of a list by id: what did not change is what was known before, and the whole where nothing did. */
export function withPlaces(before: ReadonlyMap<number, LeanPlace>, list: readonly LeanPlace[]): ReadonlyMap<number, LeanPlace> {
  const after = new Map<number, LeanPlace>();
  let same = true;
  for (const place of list) {
    if (place.closed) continue;
    const known = before.get(place.id);
    const kept = known && known !== place && JSON.stringify(known) === JSON.stringify(place) ? known : place;
    same &&= kept === known;
    after.set(place.id, kept);
  }
  return same && after.size === before.size ? before : after;
}
