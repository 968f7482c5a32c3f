import { useSignal } from "@preact/signals";
import { useState } from "preact/hooks";
import type { LeanPlace } from "../api/tree";
import { asOf, devices, loaded, may } from "../fleet/fleet";
import { chosenPlaces, placesLoaded, placesTrouble, viewNow } from "../fleet/places";
import type { PlaceState } from "../fleet/placestate";
import { FailureNote } from "../parts/failure";
import { Filter } from "../parts/filter";
import { Heading } from "../parts/heading";
import { Pager, pageWithin } from "../parts/pager";
import { AddPlaceDialog } from "../parts/placeedit";
import { Table } from "../parts/table";
import { useTitle } from "../parts/title";
import { go } from "../router";
import { folded } from "../tree/nodes";
import { choice, tree, wayTo } from "../tree/tree";
import { deviceName, placeName } from "../words/device";
import { near, quantity } from "../words/format";
import { joined, t, type Key } from "../words/messages";

/** As many rows as are put into the page at once. */
const rowsAtOnce = 100;

const stateKeys: Record<PlaceState, Key> = {
  alarm: "place.state-alarm",
  fault: "place.state-fault",
  silent: "place.state-silent",
  unheard: "place.state-unheard",
  reporting: "place.state-reporting",
  vacant: "place.state-vacant",
};

/** The chosen places as a table. */
export function PlacesPage() {
  useTitle(t("nav.places"));
  const wanted = useSignal("");
  const [adding, setAdding] = useState(false);
  const search = folded(wanted.value.trim());
  const all = chosenPlaces.value;
  const found = search ? all.filter((p) => folded(p.name).includes(search) || p.device_ids.some((id) => fits(id, search))) : all;
  const grouped = tree.value.byId.size > 1;
  return (
    <>
      <section class="verdict">
        <Heading>{placesLoaded.value && may("place.read") ? t("place.list-title", { n: all.length }) : t("nav.places")}</Heading>
        <span class="buttons">
          {may("place.change") && (
            <button type="button" class="btn primary" onClick={() => setAdding(true)}>
              {t("place.add-open")}
            </button>
          )}
          {may("organization.read") && (
            <a class="btn" href="/organizations">
              {t("nav.organizations")}
            </a>
          )}
        </span>
      </section>
      {placesTrouble.value !== undefined && !placesLoaded.value && <FailureNote cause={placesTrouble.value} />}
      {placesLoaded.value && all.length === 0 && <p class="note">{t(may("place.read") ? "place.list-none" : "place.none-to-see")}</p>}
      {all.length > 0 && (
        <div class="panel">
          <div class="top">
            <Filter label={t("place.find")} value={wanted.value} onValue={(v) => (wanted.value = v)} />
          </div>
          <Rows key={`${choice.value.id} ${choice.value.sub} ${search}`} of={found} grouped={grouped} />
          {found.length === 0 && <p class="soft">{t("place.none-found")}</p>}
        </div>
      )}
      {adding && <AddPlaceDialog onDone={(place) => go(`/places/${place.id}`)} onClose={() => setAdding(false)} />}
    </>
  );
}

function fits(device: number, search: string): boolean {
  const known = devices.value.get(device)?.peek();
  return known !== undefined && folded(`${deviceName(known)} ${known.serial}`).includes(search);
}

function Rows({ of, grouped }: { of: LeanPlace[]; grouped: boolean }) {
  const [wanted, setPage] = useState(0);
  const page = pageWithin(wanted, of.length, rowsAtOnce);
  if (of.length === 0) return null;
  return (
    <>
      <Table
        label={t("nav.places")}
        columns={[
          t("device.place"),
          grouped && { name: t("place.organization"), class: "wide" },
          t("devices.state"),
          { name: t("table.value"), class: "num roomy" },
          { name: t("place.devices-column"), class: "wide" },
          { name: t("devices.last"), class: "num" },
        ]}
      >
        {of.slice(page * rowsAtOnce, (page + 1) * rowsAtOnce).map((place) => (
          <PlaceRow key={place.id} place={place} grouped={grouped} />
        ))}
      </Table>
      <Pager label={t("place.pages")} page={page} size={rowsAtOnce} all={of.length} onPage={setPage} />
    </>
  );
}

function PlaceRow({ place, grouped }: { place: LeanPlace; grouped: boolean }) {
  const { state, values, devices: there, received } = viewNow(place);
  const [first] = values;
  return (
    <tr>
      <td>
        <a class="link" href={`/places/${place.id}`}>
          <bdi>{placeName(place)}</bdi>
        </a>
        {grouped && (
          <small class="narrow">
            <bdi>{wayTo(place.organization_id)}</bdi>
          </small>
        )}
      </td>
      {grouped && (
        <td class="wide">
          <bdi>{wayTo(place.organization_id)}</bdi>
        </td>
      )}
      <td>{loaded.value && <span class={`state place-${state}`}>{t(stateKeys[state])}</span>}</td>
      <td class="num roomy">{first && first.value !== null ? quantity(first.value, first.decimals, first.unit) : "–"}</td>
      <td class="wide">{joined(there.map((d) => deviceName(d)))}</td>
      <td class="num">{received === null ? "–" : near(received, asOf.value)}</td>
    </tr>
  );
}
