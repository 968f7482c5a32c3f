import { useId, useState } from "preact/hooks";
import { may } from "../fleet/fleet";
import { chosenPlaces, places } from "../fleet/places";
import { NodeField } from "../tree/nodefield";
import { folded } from "../tree/nodes";
import { wayTo } from "../tree/tree";
import { placeName } from "../words/device";
import { t } from "../words/messages";
import { Filter } from "./filter";
import { homeNode } from "./placeedit";

/** Where a device is put that is accepted. */
export interface Where {
  how: "new" | "known" | "none";
  /** null for that which is chosen in the header. */
  organization: number | null;
  place: number | null;
}

export const newPlace: Where = { how: "new", organization: null, place: null };

/** As many places as are listed; more are found by their name. */
const mostListed = 30;

/** What the API is told of it. Where nothing else is chosen, accepting makes a place of the device's name. */
export function whereBody({ how, organization, place }: Where): { organization_id?: number; place_id?: number } {
  const node = organization ?? homeNode();
  const home = node === 1 ? {} : { organization_id: node };
  if (how === "known") return place === null ? {} : { place_id: place };
  return how === "none" ? { ...home, place_id: 0 } : home;
}

export function isWhere({ how, place }: Where): boolean {
  return how !== "known" || place !== null;
}

/** Asks where a device is put: at a new place, at one that there is, or at none; and to which organization it belongs. */
export function WhereField({ value, onValue }: { value: Where; onValue: (where: Where) => void }) {
  const group = useId();
  if (!may("device.attach")) return null;
  const choice = (how: Where["how"], label: string) => (
    <label>
      <input type="radio" name={group} checked={value.how === how} onChange={() => onValue({ ...value, how })} />
      <span>{label}</span>
    </label>
  );
  return (
    <>
      <fieldset class="choice">
        <legend>{t("place.where")}</legend>
        {choice("new", t("place.where-new"))}
        {places.value.size > 0 && choice("known", t("place.where-known"))}
        {choice("none", t("place.where-none"))}
      </fieldset>
      {value.how === "known" ? (
        <KnownPlaces value={value.place} onValue={(place) => onValue({ ...value, place })} />
      ) : (
        <NodeField label={t("place.organization")} value={value.organization ?? homeNode()} onValue={(organization) => onValue({ ...value, organization })} />
      )}
    </>
  );
}

/** The places of the chosen organizations, those without a device first, to choose one. */
function KnownPlaces({ value, onValue }: { value: number | null; onValue: (id: number) => void }) {
  const [search, setSearch] = useState("");
  const group = useId();
  const wanted = folded(search.trim());
  const fits = chosenPlaces.value.filter((p) => !wanted || folded(`${p.name} ${wayTo(p.organization_id)}`).includes(wanted));
  const found = [...fits.filter((p) => p.device_ids.length === 0), ...fits.filter((p) => p.device_ids.length > 0)];
  return (
    <>
      <Filter label={t("place.find")} value={search} onValue={setSearch} />
      <fieldset class="candidates">
        <legend class="unseen">{t("place.choose")}</legend>
        {found.slice(0, mostListed).map((p) => (
          <label key={p.id} class="candidate">
            <input type="radio" name={group} checked={value === p.id} onChange={() => onValue(p.id)} />
            <span>
              <bdi>{placeName(p)}</bdi>{" "}
              <small>
                <bdi>{wayTo(p.organization_id)}</bdi>
              </small>
            </span>
            <span class="state">{t("place.device-count", { n: p.device_ids.length })}</span>
          </label>
        ))}
      </fieldset>
      {found.length === 0 && <p class="soft">{t("place.none-found")}</p>}
      {found.length > mostListed && <p class="soft">{t("place.more", { n: found.length - mostListed })}</p>}
    </>
  );
}
