import { useId, useState } from "preact/hooks";
import { ask } from "../api/client";
import type { Role, RoleList } from "../api/people";
import { may, me } from "../fleet/fleet";
import { places } from "../fleet/places";
import { NodeField } from "../tree/nodefield";
import { folded, within } from "../tree/nodes";
import { tree } from "../tree/tree";
import { t } from "../words/messages";
import { placeRole, roleName, roleWhat } from "../words/people";
import { visible } from "../words/text";
import { useLoading, type Loading } from "./loading";

/** A role somewhere: at a node and below, or at one place. Ids are 0 until they are chosen. */
export interface GrantDraft {
  role: string;
  organization_id: number;
  place_id: number;
}

/** The node where there is only one to choose; 0 otherwise. */
export function onlyNode(): number {
  const [first, second] = tree.peek().byId.keys();
  return first !== undefined && second === undefined ? first : 0;
}

export function noGrant(): GrantDraft {
  return { role: "", organization_id: onlyNode(), place_id: 0 };
}

export function isChosen(grant: GrantDraft): boolean {
  return grant.role !== "" && grant.organization_id > 0 && (grant.role !== placeRole || grant.place_id > 0);
}

/** What the API is told of a grant. One at a place is made at the place's own node, from wherever the place was chosen. */
export function grantBody({ role, organization_id, place_id }: GrantDraft): Record<string, unknown> {
  if (role !== placeRole) return { role, organization_id };
  return { role, organization_id: places.peek().get(place_id)?.organization_id ?? organization_id, place_id };
}

/** The roles that are open. */
export function useRoles(): Loading<Role[]> {
  return useLoading(async (signal) => (await ask<RoleList>("/roles", { signal })).roles.filter((r) => !r.closed), []);
}

/** The presets that a distributor's administrator appoints although it does not hold all that they hold. */
const appointed = ["distributor-administrator", "payment-administrator", "administrator"];

/** Whether this person may give a role at all; where, the server says. */
export function mayGive(role: Role): boolean {
  if (role.permissions.every(may)) return true;
  return appointed.includes(role.name) && (me.value?.roles.some((r) => r.role === "distributor-administrator") ?? false);
}

/** Chooses one of the roles that may be given, and says what it is for. */
export function RoleSelect({ roles, value, onValue }: { roles: Role[]; value: string; onValue: (role: string) => void }) {
  const id = useId();
  return (
    <p class="field">
      <label for={id}>{t("people.role")}</label>
      <select id={id} value={value} required aria-describedby={`${id}-hint`} onChange={(event) => onValue(event.currentTarget.value)}>
        <option value="">{t("people.choose")}</option>
        {roles.filter(mayGive).map((r) => (
          <option key={r.name} value={r.name}>
            {roleName(r.name)}
          </option>
        ))}
      </select>
      <small id={`${id}-hint`} class="hint">
        {roleWhat(value)}
      </small>
    </p>
  );
}

/** Chooses a role, where it counts, and the place where it is for one place. */
export function GrantFields({ roles, value, onValue }: { roles: Role[]; value: GrantDraft; onValue: (value: GrantDraft) => void }) {
  return (
    <div class="grantfields">
      <RoleSelect roles={roles} value={value.role} onValue={(role) => onValue({ ...value, role, place_id: 0 })} />
      <NodeField label={t("people.at")} value={value.organization_id} onValue={(organization_id) => onValue({ ...value, organization_id, place_id: 0 })} />
      {value.role === placeRole && value.organization_id > 0 && <PlaceSelect organization={value.organization_id} value={value.place_id} onValue={(place_id) => onValue({ ...value, place_id })} />}
    </div>
  );
}

/** As many places as are offered at once; a search finds the others. */
const mostPlaces = 200;

/** Chooses one place of a node. */
export function PlaceSelect({ organization, value, onValue }: { organization: number; value: number; onValue: (id: number) => void }) {
  const [search, setSearch] = useState("");
  const id = useId();
  const nodes = within(tree.value, organization, true);
  const wanted = folded(search.trim());
  const fits = [...places.value.values()].filter((p) => (nodes === null || nodes.has(p.organization_id)) && (wanted === "" || folded(p.name).includes(wanted) || p.id === value)).sort((a, b) => a.name.localeCompare(b.name) || a.id - b.id);
  return (
    <>
      <p class="field">
        <label for={`${id}-search`}>{t("people.place-search")}</label>
        <input id={`${id}-search`} type="search" value={search} autocomplete="off" onInput={(event) => setSearch(event.currentTarget.value)} />
      </p>
      <p class="field">
        <label for={id}>{t("people.place")}</label>
        <select id={id} required value={value ? String(value) : ""} aria-describedby={`${id}-hint`} onChange={(event) => onValue(Number(event.currentTarget.value))}>
          <option value="">{t("people.choose")}</option>
          {fits.slice(0, mostPlaces).map((p) => (
            <option key={p.id} value={String(p.id)}>
              {visible(p.name)}
            </option>
          ))}
        </select>
        <small id={`${id}-hint`} class="hint">
          {fits.length > mostPlaces ? t("people.places-more", { n: fits.length - mostPlaces }) : ""}
        </small>
      </p>
    </>
  );
}
