import { useMemo, useState } from "preact/hooks";
import { ask } from "../api/client";
import type { Channel, Device, LastUpload, Latest } from "../api/types";
import type { PlacedDevice } from "../api/tree";
import { ChartPanel } from "../chart/panel";
import { ofDevice } from "../chart/subject";
import { asOf, changes, devices, may } from "../fleet/fleet";
import { places } from "../fleet/places";
import { stateOf } from "../fleet/state";
import { useAnnounced } from "../parts/announce";
import { Body } from "../parts/body";
import { DecisionDialog, type Decision } from "../parts/decide";
import { FailureNote } from "../parts/failure";
import { Heading } from "../parts/heading";
import { LatestTable } from "../parts/latest";
import { useLoading, type Loading } from "../parts/loading";
import { MoveDeviceDialog } from "../parts/movedevice";
import { shortValue, toneOf, whyOf } from "../parts/tile";
import { useTitle } from "../parts/title";
import { tree, usePageZone, wayTo, zoneOf } from "../tree/tree";
import { deviceName, familyName, placeName, stateName } from "../words/device";
import { ago, begun, bytes, instant, near, millis, quantity, span, zone } from "../words/format";
import { t } from "../words/messages";
import { visible } from "../words/text";

/** One device: its chart, its latest values, how complete it is, and what it said last. */
export function DevicePage({ id }: { id: number }) {
  const found = useLoading((signal) => ask<PlacedDevice>(`/devices/${id}`, { signal }), [id, changes.value]);
  const ended = useLoading((signal) => ask<{ channels: Channel[] }>(`/channels?device=${id}&ended=true`, { signal }), [id, changes.value]);
  const device = found.value;
  useTitle(device ? deviceName(device) : t("device.title"));
  usePageZone(device && zoneOfDevice(device));
  if (!device)
    return (
      <>
        <section class="verdict">
          <Heading>{t("device.title")}</Heading>
        </section>
        {found.failure !== undefined && <FailureNote cause={found.failure} again={found.again} />}
      </>
    );
  return <Inside device={device} channels={ended.value?.channels ?? device.channels} found={found} />;
}

function Inside({ device, channels, found }: { device: PlacedDevice; channels: Channel[]; found: Loading<PlacedDevice> }) {
  const { id } = device;
  const subject = useMemo(() => ofDevice(device), [device]);
  const live = devices.value.get(id)?.value;
  return (
    <>
      <p class="crumb">
        <a href="/">{t("nav.overview")}</a> ›{" "}
        {device.place && may("place.read") ? (
          <a href={`/places/${device.place.id}`}>
            <bdi>{placeName(device.place)}</bdi>
          </a>
        ) : (
          familyName(device.family)
        )}
      </p>
      <Head device={device} live={live} onChanged={found.again} />
      {found.failure !== undefined && <FailureNote cause={found.failure} again={found.again} />}
      {channels.length > 0 ? (
        <ChartPanel of={subject} channels={channels} heard={live?.received_at ?? null} />
      ) : (
        <p class="note">{t(device.state === "new" ? "device.new-no-chart" : "device.no-channels")}</p>
      )}
      <div class="two even">
        {live && <LatestTable values={live.values} />}
        <DevicePanel device={device} live={live} />
      </div>
      {may("upload.read") && <LastUploadPanel id={id} heard={live?.received_at ?? null} />}
    </>
  );
}

function Head({ device, live, onChanged }: { device: Device; live: Latest | undefined; onChanged: () => void }) {
  const [decision, setDecision] = useState<Decision | null>(null);
  const state = live ? stateOf(live, asOf.value) : null;
  const [first, ...more] = live?.values ?? [];
  const why = live && state ? whyOf(live, state) : "";
  const name = deviceName(device);
  useAnnounced(why);
  return (
    <section class="verdict">
      <Heading>
        <bdi>{name}</bdi>
        {first && first.value !== null && <span class={`value ${state === "silent" ? state : toneOf(first)}`}> {quantity(first.value, first.decimals, first.unit)}</span>}
      </Heading>
      {device.state !== "accepted" && <span class={`state ${device.state}`}>{stateName(device.state)}</span>}
      {why && <span class={`why ${state ?? ""}`}>{why}</span>}
      <span class="buttons">
        {may("device.change") && (
          <button type="button" class="btn" onClick={() => setDecision("rename")}>
            {t("device.rename")}
          </button>
        )}
        {may("device.decide") && device.state !== "accepted" && (
          <button type="button" class="btn primary" onClick={() => setDecision("accept")}>
            {t("new.accept")}
          </button>
        )}
      </span>
      <div class="facts">
        {live && more.map((v) => v.value !== null && <span key={v.channel_id}>{shortValue(v, live.values)}</span>)}
        <span>
          {t("facts.as-of")} <b>{instant(asOf.value)}</b>
        </span>
      </div>
      {decision && <DecisionDialog key={decision} device={device} decision={decision} onDone={onChanged} onClose={() => setDecision(null)} />}
    </section>
  );
}

/** Where the device is, and where it was before. */
function Stays({ device }: { device: PlacedDevice }) {
  const now = device.place ? [device.place] : [];
  const stays = device.places ?? [];
  const before = stays.filter((s) => s.to !== null);
  const current = stays.filter((s) => s.to === null);
  const link = (place: { id: number; name: string }) =>
    may("place.read") ? (
      <a class="link" href={`/places/${place.id}`}>
        <bdi>{placeName(place)}</bdi>
      </a>
    ) : (
      <bdi>{placeName(place)}</bdi>
    );
  const here = current.length ? current : now;
  const way = device.organization_id === undefined ? "" : wayTo(device.organization_id);
  return (
    <>
      {device.state !== "new" && (
        <div>
          <dt>{t("device.place")}</dt>
          <dd>
            {here.length === 0 && t("place.at-none")}
            {here.map((p, i) => (
              <span key={p.id}>
                {i > 0 && ", "}
                {link(p)}
              </span>
            ))}
          </dd>
        </div>
      )}
      {way && tree.value.byId.size > 1 && (
        <div>
          <dt>{t("place.organization")}</dt>
          <dd>
            <bdi>{way}</bdi>
          </dd>
        </div>
      )}
      {before.length > 0 && (
        <div>
          <dt>{t("place.before")}</dt>
          <dd>
            {before.map((p) => (
              <span class="cell" key={`${p.id} ${p.from}`}>
                {link(p)} <small>{t("unusual.between", { from: begun(millis(p.from) ?? 0, asOf.value), to: near(millis(p.to) ?? 0, asOf.value) })}</small>
              </span>
            ))}
          </dd>
        </div>
      )}
    </>
  );
}

function DevicePanel({ device, live }: { device: PlacedDevice; live: Latest | undefined }) {
  const [decision, setDecision] = useState<Decision | null>(null);
  const [moving, setMoving] = useState(false);
  const measured = millis(live?.measured_at),
    received = millis(live?.received_at ?? device.last_message_at),
    seen = millis(device.first_seen_at);
  const dbm = live?.signal_dbm ?? null,
    battery = live?.battery_percent ?? null;
  const rows = useMemo(
    () =>
      [
        [t("device.model"), visible(device.model)],
        [t("device.serial"), visible(device.serial)],
        [t("device.family"), familyName(device.family)],
        [t("device.interval"), device.interval === null ? t("device.interval-unknown") : span(device.interval)],
        [t("device.first-seen"), seen === null ? "" : instant(seen, false)],
        [t("device.signal"), dbm === null ? "" : quantity(dbm, 0, "dBm")],
        [t("device.battery"), battery === null ? "" : quantity(battery, 0, "%")],
      ].filter((row) => row[1]) as [string, string][],
    [device, dbm, battery, zone.value],
  );
  return (
    <section class="panel" aria-labelledby="about">
      <h2 id="about">{t("device.about")}</h2>
      <dl class="rows">
        {measured !== null && (
          <div>
            <dt>{t("device.measured")}</dt>
            <dd>{instant(measured)}</dd>
          </div>
        )}
        {received !== null && (
          <div>
            <dt>{t("device.received")}</dt>
            <dd>
              {instant(received)}, {ago(received, asOf.value)}
            </dd>
          </div>
        )}
        <Stays device={device} />
        {rows.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
        {device.quarantine && (
          <div>
            <dt>{t("quarantine.title")}</dt>
            <dd>
              <a class="link" href={`/devices/${device.id}/quarantine`}>
                {t("new.uploads", { n: device.quarantine.uploads, size: bytes(device.quarantine.bytes) })}
              </a>
            </dd>
          </div>
        )}
      </dl>
      {may("device.decide") && (
        <p class="act">
          {device.state === "accepted" && (
            <button type="button" class="btn small" onClick={() => setDecision("suspend")}>
              {t("device.suspend")}
            </button>
          )}
          {(device.state === "accepted" || device.state === "suspended") && (
            <button type="button" class="btn small" onClick={() => setDecision("retire")}>
              {t("device.retire")}
            </button>
          )}
          {device.state === "new" && (
            <button type="button" class="btn small" onClick={() => setDecision("reject")}>
              {t("new.reject")}
            </button>
          )}
        </p>
      )}
      {may("device.change") && device.state !== "new" && !device.place && tree.value.byId.size > 1 && (
        <p class="act">
          <button type="button" class="btn small" onClick={() => setMoving(true)}>
            {t("place.move-device")}
          </button>
        </p>
      )}
      {decision && <DecisionDialog key={decision} device={device} decision={decision} onDone={() => changes.value++} onClose={() => setDecision(null)} />}
      {moving && <MoveDeviceDialog device={device} onClose={() => setMoving(false)} />}
    </section>
  );
}

/** The zone of the place or organization of a device; undefined, for that of the chosen node, where it has none. */
function zoneOfDevice(device: PlacedDevice): string | undefined {
  const place = device.place ? places.value.get(device.place.id) : undefined;
  const organization = place?.organization_id ?? device.organization_id;
  return organization !== undefined && tree.value.byId.has(organization) ? zoneOf(organization) : undefined;
}

function LastUploadPanel({ id, heard }: { id: number; heard: string | null }) {
  const [live, setLive] = useState<string | null>(heard);
  const upload = useLoading((signal) => ask<LastUpload>(`/devices/${id}/last-upload`, { signal }), [id, live]);
  const received = millis(upload.value?.received_at);
  const missing = upload.failure instanceof Error && "status" in upload.failure && upload.failure.status === 404;
  return (
    <section class="panel" aria-labelledby="last">
      <div class="top">
        <h2 id="last">{t("upload.title")}</h2>
        {upload.value && received !== null && (
          <span class="soft">
            {t("upload.facts", { at: instant(received), size: bytes(upload.value.bytes) })}
            {upload.value.quarantined && ` ${t("upload.quarantined", { reason: visible(upload.value.reason ?? "") })}`}
          </span>
        )}
        {heard !== live && (millis(heard) ?? 0) > (received ?? 0) && (
          <button type="button" class="btn small" onClick={() => setLive(heard)}>
            {t("upload.newer")}
          </button>
        )}
      </div>
      {missing ? <p class="soft">{t("upload.none")}</p> : upload.failure !== undefined && <FailureNote cause={upload.failure} again={upload.again} />}
      {upload.value && <Body body={upload.value.body} label={t("upload.title")} />}
    </section>
  );
}
