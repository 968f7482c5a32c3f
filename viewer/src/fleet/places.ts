import { computed, effect, signal } from "@preact/signals";
import { ask, isAbandoned } from "../api/client";
import { remembering } from "../api/unchanged";
import type { LeanPlace, LeanPlaceList, OrganizationList } from "../api/tree";
import { forgetOrganizations, isChosen, takeOrganizations } from "../tree/tree";
import { arrivals, asOf, changes, devices, may, returns } from "./fleet";
import { byName, surveyPlaces, viewOf, withPlaces, type PlaceView } from "./placestate";

export { byName };

// All places that the person may see, and which devices are there. What they show follows from the newest messages, so nothing is
// asked for again when one comes.

/** The open places by id. */
export const places = signal<ReadonlyMap<number, LeanPlace>>(new Map());

/** Whether the places have been loaded once. */
export const placesLoaded = signal(false);

/** Why they could not be loaded last; undefined where they could. */
export const placesTrouble = signal<unknown>(undefined);

/** As many places as are asked for at once; the server gives no more. */
const atOnce = 10_000;
/** More pages than this are not asked for: a million places. */
const mostPages = 100;
const again = 5_000;
/** Changes that come one after the other are loaded once. */
const gather = 300;

async function loadPlaces(ask: (path: string, abort: AbortSignal) => Promise<LeanPlaceList>, abort: AbortSignal): Promise<LeanPlace[]> {
  const all: LeanPlace[] = [];
  let after = "";
  for (let page = 0; page < mostPages; page++) {
    const list = await ask(`/places?fields=lean&limit=${atOnce}${after}`, abort);
    all.push(...list.places);
    if (list.next === null) break;
    after = `&after=${encodeURIComponent(list.next)}`;
  }
  return all;
}

/** Follows organizations and places until the function that it returns is called. */
export function followPlaces(): () => void {
  const askPlaces = remembering<LeanPlaceList>();
  let gone = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const load = async () => {
    gone.abort();
    gone = new AbortController();
    const { signal: abort } = gone;
    try {
      const [organizations, found] = await Promise.all([
        may("organization.read") ? ask<OrganizationList>("/organizations", { signal: abort }) : null,
        may("place.read") ? loadPlaces(askPlaces, abort) : [],
      ]);
      if (abort.aborted) return;
      if (organizations) takeOrganizations(organizations);
      places.value = withPlaces(places.peek(), found);
      placesLoaded.value = true;
      placesTrouble.value = undefined;
    } catch (cause) {
      if (abort.aborted || isAbandoned(cause)) return;
      placesTrouble.value = cause;
      soon(again);
    }
  };
  const soon = (after: number) => {
    clearTimeout(timer);
    timer = setTimeout(() => void load(), after);
  };
  let first = true;
  const unfollow = effect(() => {
    void changes.value;
    void returns.value;
    soon(first ? 0 : gather);
    first = false;
  });
  return () => {
    unfollow();
    clearTimeout(timer);
    gone.abort();
    places.value = new Map();
    placesLoaded.value = false;
    forgetOrganizations();
  };
}

/** What a place shows now; what reads it is painted again when one of its devices sends. */
export function viewNow(place: LeanPlace): PlaceView {
  return viewOf(place, (id) => devices.value.get(id)?.value, asOf.value);
}

/** All open places by name. Sorting ten thousand takes a moment, so that it is done when they change and not when others are chosen. */
const placesByName = computed(() => [...places.value.values()].sort(byName));

/** The places of the chosen organizations, by name. */
export const chosenPlaces = computed(() => placesByName.value.filter((p) => isChosen(p.organization_id)));

/** The states of the chosen places at the printed instant. They follow what comes as a whole and not each of thousands of devices. */
export const surveyedPlaces = computed(() => {
  const known = devices.value;
  void arrivals.value;
  return surveyPlaces(chosenPlaces.value, (id) => known.get(id)?.peek(), asOf.value);
});

/** The accepted devices that are at none of the places that the person may see. */
export const unplaced = computed(() => {
  const placed = new Set([...places.value.values()].flatMap((p) => p.device_ids));
  return placesLoaded.value ? [...devices.value.keys()].filter((id) => !placed.has(id)) : [];
});
