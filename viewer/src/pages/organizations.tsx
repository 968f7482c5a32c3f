import { useSignal } from "@preact/signals";
import { useId, useState } from "preact/hooks";
import { ask } from "../api/client";
import type { Organization } from "../api/tree";
import { changes, may } from "../fleet/fleet";
import { announce } from "../parts/announce";
import { Dialog, Field } from "../parts/dialog";
import { FailureNote } from "../parts/failure";
import { Filter } from "../parts/filter";
import { Heading } from "../parts/heading";
import { Pager, pageWithin } from "../parts/pager";
import { homeNode, mostName } from "../parts/placeedit";
import { placesTrouble } from "../fleet/places";
import { useTitle } from "../parts/title";
import { canChange, NoChangeNote, ReasonField } from "../parts/reason";
import { Table } from "../parts/table";
import { foundRows, openRows, type Row } from "../tree/nodes";
import { NodeField } from "../tree/nodefield";
import { choose, nodeName, tree, treeLoaded } from "../tree/tree";
import { t } from "../words/messages";
import { visible } from "../words/text";
import { isZone } from "../words/zone";

/** As many rows as are put into the page at once. */
const rowsAtOnce = 100;

type Asking = { what: "add"; parent: number } | { what: "edit" | "close"; node: Organization };

/** The organizations as a table that goes down the tree: add, rename, move, zone, close. */
export function OrganizationsPage() {
  useTitle(t("nav.organizations"));
  const wanted = useSignal("");
  const [asking, setAsking] = useState<Asking | null>(null);
  const of = tree.value;
  const search = wanted.value.trim();
  const rows = search ? foundRows(of, search).rows : openRows(of, new Set(of.byId.keys()));
  return (
    <>
      <section class="verdict">
        <Heading>{treeLoaded.value ? t("tree.list-title", { n: of.byId.size }) : t("nav.organizations")}</Heading>
        {may("organization.change") && treeLoaded.value && (
          <span class="buttons">
            <button type="button" class="btn primary" onClick={() => setAsking({ what: "add", parent: homeNode() })}>
              {t("tree.add-open")}
            </button>
          </span>
        )}
        <div class="facts">
          <span>{t("tree.what")}</span>
        </div>
      </section>
      {!treeLoaded.value && placesTrouble.value !== undefined && <FailureNote cause={placesTrouble.value} />}
      {!may("organization.read") && <p class="note">{t("failure.forbidden")}</p>}
      {of.byId.size > 0 && (
        <div class="panel">
          <div class="top">
            <Filter label={t("tree.find")} value={wanted.value} onValue={(v) => (wanted.value = v)} />
          </div>
          <Rows key={search} rows={rows} onAsk={setAsking} />
          {rows.length === 0 && <p class="soft">{t("tree.none-found")}</p>}
        </div>
      )}
      {asking?.what === "add" && <AddDialog parent={asking.parent} onClose={() => setAsking(null)} />}
      {asking?.what === "edit" && <EditDialog node={asking.node} onClose={() => setAsking(null)} />}
      {asking?.what === "close" && <CloseDialog node={asking.node} onClose={() => setAsking(null)} />}
    </>
  );
}

function Rows({ rows, onAsk }: { rows: Row[]; onAsk: (asking: Asking) => void }) {
  const [wanted, setPage] = useState(0);
  const page = pageWithin(wanted, rows.length, rowsAtOnce);
  const changes = may("organization.change");
  if (rows.length === 0) return null;
  return (
    <>
      <Table
        label={t("nav.organizations")}
        class="organizations"
        columns={[
          t("place.organization"),
          { name: t("tree.time-zone"), class: "wide" },
          { name: t("nav.places"), class: "num" },
          { name: t("nav.devices"), class: "num wide" },
          changes && { name: t("devices.act"), unseen: true },
        ]}
      >
        {rows.slice(page * rowsAtOnce, (page + 1) * rowsAtOnce).map(({ node }) => {
          const name = nodeName(node);
          return (
            <tr key={node.id}>
              <td style={{ paddingLeft: `${Math.min(node.depth - 1, 8) * 18}px` }}>
                <a class="link" href={`/?org=${node.id}`} onClick={() => choose({ id: node.id, sub: true })}>
                  <bdi>{name}</bdi>
                </a>
              </td>
              <td class="wide">
                {visible(node.time_zone)} {node.own_time_zone === "" && node.depth > 1 && <small class="soft">{t("tree.from-above")}</small>}
              </td>
              <td class="num">{t("count", { n: node.places })}</td>
              <td class="num wide">{t("count", { n: node.devices })}</td>
              {changes && (
                <td class="num acts">
                  <button type="button" class="btn small" aria-label={t("tree.add-below", { name })} onClick={() => onAsk({ what: "add", parent: node.id })}>
                    {t("tree.add")}
                  </button>{" "}
                  <button type="button" class="btn small" aria-label={t("tree.edit-name", { name })} onClick={() => onAsk({ what: "edit", node })}>
                    {t("place.edit")}
                  </button>{" "}
                  {node.id !== 1 && (
                    <button type="button" class="btn small" aria-label={t("tree.close-name", { name })} onClick={() => onAsk({ what: "close", node })}>
                      {t("place.close-open")}
                    </button>
                  )}
                </td>
              )}
            </tr>
          );
        })}
      </Table>
      <Pager label={t("nav.organizations")} page={page} size={rowsAtOnce} all={rows.length} onPage={setPage} />
    </>
  );
}

const zones: readonly string[] = ["UTC", ...("supportedValuesOf" in Intl ? Intl.supportedValuesOf("timeZone") : [])];

/** The zone of an organization; empty takes that of the node above. */
function ZoneField({ value, onValue }: { value: string; onValue: (value: string) => void }) {
  const id = useId();
  const wrong = value.trim() !== "" && !isZone(value.trim());
  return (
    <p class="field">
      <label for={id}>{t("tree.time-zone")}</label>
      <input id={id} type="text" value={value} list={`${id}-zones`} autocomplete="off" aria-invalid={wrong} aria-describedby={`${id}-hint`} onInput={(event) => onValue(event.currentTarget.value)} />
      <datalist id={`${id}-zones`}>
        {zones.map((z) => (
          <option key={z} value={z} />
        ))}
      </datalist>
      <small id={`${id}-hint`} class="hint">
        {t(wrong ? "tree.zone-wrong" : "tree.zone-hint")}
      </small>
    </p>
  );
}

const fits = (name: string, zone: string) => name.trim() !== "" && !name.includes("/") && (zone.trim() === "" || isZone(zone.trim())) && canChange();

function AddDialog({ parent: first, onClose }: { parent: number; onClose: () => void }) {
  const [parent, setParent] = useState(first);
  const [name, setName] = useState("");
  const [zone, setZone] = useState("");
  const act = async () => {
    await ask("/organizations", { method: "POST", body: { parent_id: parent, name: name.trim(), ...(zone.trim() ? { time_zone: zone.trim() } : {}) } });
    announce(t("tree.added", { name: visible(name.trim()) }));
    changes.value++;
  };
  return (
    <Dialog title={t("tree.add-title")} act={t("tree.add")} ready={fits(name, zone)} onAct={act} onClose={onClose}>
      <NoChangeNote />
      <Field label={t("field.name")} hint={t("tree.name-hint")} value={name} most={mostName} required onValue={setName} />
      <NodeField label={t("tree.parent")} value={parent} onValue={setParent} />
      <ZoneField value={zone} onValue={setZone} />
    </Dialog>
  );
}

function EditDialog({ node, onClose }: { node: Organization; onClose: () => void }) {
  const [name, setName] = useState(node.name);
  const [zone, setZone] = useState(node.own_time_zone);
  const [parent, setParent] = useState(node.parent_id ?? 0);
  const [why, setWhy] = useState("");
  const changed = {
    ...(name.trim() !== node.name ? { name: name.trim() } : {}),
    ...(zone.trim() !== node.own_time_zone ? { time_zone: zone.trim() } : {}),
    ...(parent !== (node.parent_id ?? 0) ? { parent_id: parent } : {}),
  };
  // The root may stay without a name.
  const named = fits(name, zone) || (node.name === "" && name.trim() === "" && fits("-", zone));
  const act = async () => {
    await ask(`/organizations/${node.id}`, { method: "PATCH", body: { ...changed, why: why.trim() } });
    announce(t("tree.changed", { name: visible(name.trim()) || nodeName(node) }));
    changes.value++;
  };
  return (
    <Dialog title={t("place.edit-title", { name: nodeName(node) })} act={t("place.save")} ready={named && Object.keys(changed).length > 0} onAct={act} onClose={onClose}>
      <NoChangeNote />
      <Field label={t("field.name")} hint={t("tree.name-hint")} value={name} most={mostName} required={node.name !== ""} onValue={setName} />
      {node.parent_id !== null && <NodeField label={t("tree.parent")} value={parent} without={node.id} onValue={setParent} />}
      <ZoneField value={zone} onValue={setZone} />
      <ReasonField value={why} onValue={setWhy} />
    </Dialog>
  );
}

function CloseDialog({ node, onClose }: { node: Organization; onClose: () => void }) {
  const [why, setWhy] = useState("");
  const act = async () => {
    await ask(`/organizations/${node.id}`, { method: "PATCH", body: { closed: true, why: why.trim() } });
    announce(t("tree.is-closed", { name: nodeName(node) }));
    changes.value++;
  };
  return (
    <Dialog title={t("place.close-title", { name: nodeName(node) })} act={t("place.close")} grave ready={canChange()} onAct={act} onClose={onClose}>
      <p>{t("tree.close-what")}</p>
      <NoChangeNote />
      <ReasonField value={why} onValue={setWhy} />
    </Dialog>
  );
}
