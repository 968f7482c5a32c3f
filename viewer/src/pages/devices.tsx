import { useSignal } from "@preact/signals";
import { useId, useState } from "preact/hooks";
import { ask } from "../api/client";
import type { PlacedDevice } from "../api/tree";
import type { Device, DeviceList, DeviceState } from "../api/types";
import { asOf, changes, may } from "../fleet/fleet";
import { DecisionDialog } from "../parts/decide";
import { FailureNote } from "../parts/failure";
import { Heading } from "../parts/heading";
import { useLoading } from "../parts/loading";
import { Table } from "../parts/table";
import { useTitle } from "../parts/title";
import { go, query } from "../router";
import { isChosen } from "../tree/tree";
import { deviceName, deviceStates, familyName, placeName, stateName } from "../words/device";
import { millis, near } from "../words/format";
import { t } from "../words/messages";
import { visible } from "../words/text";

/** As many rows as are put into the page at once. */
const rowsAtOnce = 200;
/** More pages of the list than this are not asked for; with the greatest page that is fifty thousand devices. */
const mostPages = 50;

async function loadAll(signal: AbortSignal): Promise<PlacedDevice[]> {
  const all: PlacedDevice[] = [];
  let after = "";
  for (let page = 0; page < mostPages; page++) {
    const list = await ask<DeviceList & { devices: PlacedDevice[] }>(`/devices?limit=1000${after}`, { signal });
    all.push(...list.devices);
    if (list.next === null) break;
    after = `&after=${encodeURIComponent(list.next)}`;
  }
  return all;
}

/** All devices of every state, as a table. */
export function DevicesPage() {
  useTitle(t("nav.devices"));
  const list = useLoading(loadAll, [changes.value]);
  const wanted = useSignal("");
  const [rows, setRows] = useState(rowsAtOnce);
  const [accepting, setAccepting] = useState<Device | null>(null);
  const searchId = useId();
  const state = deviceStates.find((s) => s === query.value.get("state"));
  const search = wanted.value.trim().toLowerCase();
  const placeless = query.value.get("place") === "none";
  const of = (list.value ?? []).filter((d) => d.organization_id === undefined || isChosen(d.organization_id));
  const all = placeless ? of.filter((d) => d.place === null && d.state === "accepted") : of;
  const found = all.filter((d) => (!state || d.state === state) && (!search || `${deviceName(d)} ${d.serial} ${d.model}`.toLowerCase().includes(search)));
  return (
    <>
      <section class="verdict">
        <Heading>{list.value ? t("devices.title", { n: all.length }) : t("nav.devices")}</Heading>
      </section>
      {list.failure !== undefined && <FailureNote cause={list.failure} again={list.again} />}
      <div class="panel">
        <div class="top">
          {placeless ? (
            <a class="btn" href="/devices" aria-label={t("place.only-none-all")}>
              {t("place.only-none")} ×
            </a>
          ) : (
            <StateFilter devices={all} state={state} />
          )}
          <p class="filter">
            <label class="unseen" for={searchId}>
              {t("overview.filter")}
            </label>
            <input id={searchId} type="search" placeholder={t("overview.filter")} value={wanted.value} autocomplete="off" onInput={(event) => (wanted.value = event.currentTarget.value)} />
          </p>
        </div>
        <Table
          label={t("devices.table")}
          columns={[
            t("devices.name"),
            { name: t("device.serial"), class: "roomy" },
            { name: t("device.family"), class: "wide" },
            { name: t("device.model"), class: "wide" },
            { name: t("device.place"), class: "wide" },
            t("devices.state"),
            { name: t("devices.last"), class: "num" },
            { name: t("devices.act"), unseen: true },
          ]}
        >
          {found.slice(0, rows).map((d) => (
            <Row key={d.id} device={d} onAccept={() => setAccepting(d)} />
          ))}
        </Table>
        {list.value && found.length === 0 && <p class="soft">{t(all.length ? "overview.none-found" : "devices.none")}</p>}
        {found.length > rows && (
          <button type="button" class="btn" onClick={() => setRows(rows + rowsAtOnce)}>
            {t("devices.more", { n: found.length - rows })}
          </button>
        )}
      </div>
      {accepting && <DecisionDialog device={accepting} decision="accept" onDone={list.again} onClose={() => setAccepting(null)} />}
    </>
  );
}

function StateFilter({ devices, state }: { devices: Device[]; state: DeviceState | undefined }) {
  const counts = new Map<DeviceState, number>();
  for (const d of devices) counts.set(d.state, (counts.get(d.state) ?? 0) + 1);
  return (
    <div class="ranges" role="group" aria-label={t("devices.by-state")}>
      <button type="button" aria-pressed={!state} onClick={() => go("/devices", true)}>
        {t("devices.every")}
      </button>
      {deviceStates.map((s) => (
        <button key={s} type="button" aria-pressed={state === s} onClick={() => go(`/devices?state=${s}`, true)}>
          {stateName(s)} <small>{t("count", { n: counts.get(s) ?? 0 })}</small>
        </button>
      ))}
    </div>
  );
}

function Row({ device, onAccept }: { device: Device; onAccept: () => void }) {
  const last = millis(device.last_message_at ?? device.quarantine?.last_at);
  const name = deviceName(device);
  return (
    <tr>
      <td>
        <a class="link" href={`/devices/${device.id}`}>
          <bdi>{name}</bdi>
        </a>
        <small class="narrow">{visible(device.serial)}</small>
      </td>
      <td class="roomy">{visible(device.serial)}</td>
      <td class="wide">{familyName(device.family)}</td>
      <td class="wide">{visible(device.model)}</td>
      <td class="wide">
        {device.place && (
          <a class="link" href={`/places/${device.place.id}`}>
            <bdi>{placeName(device.place)}</bdi>
          </a>
        )}
      </td>
      <td>
        <span class={`state ${device.state} ${device.silent && device.state === "accepted" ? "silent" : ""}`}>
          {device.state === "accepted" && device.silent ? t("devices.accepted-silent") : stateName(device.state)}
        </span>
      </td>
      <td class="num">{last === null ? "–" : near(last, asOf.value)}</td>
      <td class="num">
        {device.quarantine && (
          <a class="link" href={`/devices/${device.id}/quarantine`} aria-label={t("devices.quarantine-name", { n: device.quarantine.uploads, name })}>
            {t("devices.quarantine", { n: device.quarantine.uploads })}
          </a>
        )}{" "}
        {device.state !== "accepted" && may("device.decide") && (
          <button type="button" class="btn small" aria-label={t("new.accept-name", { name })} onClick={onAccept}>
            {t("new.accept")}
          </button>
        )}
      </td>
    </tr>
  );
}
