import { useMemo, useState } from "preact/hooks";
import { ask } from "../api/client";
import type { LeanPlace, Place, PlaceSeries } from "../api/tree";
import type { Channel } from "../api/types";
import { ChartPanel } from "../chart/panel";
import { ofPlace } from "../chart/subject";
import { asOf, changes, devices, may } from "../fleet/fleet";
import { viewNow } from "../fleet/places";
import type { PlaceView } from "../fleet/placestate";
import { useAnnounced } from "../parts/announce";
import { EvidenceButton } from "../parts/evidence";
import { FailureNote } from "../parts/failure";
import { Heading } from "../parts/heading";
import { LatestTable } from "../parts/latest";
import { useLoading } from "../parts/loading";
import { DevicesPanel, swapName } from "../parts/placedevices";
import { AttachDialog, ClosePlaceDialog, EditPlaceDialog } from "../parts/placeedit";
import { SwapDialog } from "../parts/swap";
import { ThingAudit } from "../parts/thingaudit";
import { shortValue, toneOf, whyOfPlace } from "../parts/tile";
import { useTitle } from "../parts/title";
import { tree, usePageZone, wayTo, zoneOf } from "../tree/tree";
import { deviceName, placeName } from "../words/device";
import { instant, millis, quantity } from "../words/format";
import { t } from "../words/messages";

/** One place: its chart over every sensor that was there, how complete it is, and which devices measured it. */
export function PlacePage({ id }: { id: number }) {
  const found = useLoading((signal) => ask<Place>(`/places/${id}`, { signal }), [id, changes.value]);
  const place = found.value;
  useTitle(place ? placeName(place) : t("place.title"));
  usePageZone(place && (tree.value.byId.has(place.organization_id) ? zoneOf(place.organization_id) : place.time_zone));
  if (!place)
    return (
      <>
        <section class="verdict">
          <Heading>{t("place.title")}</Heading>
        </section>
        {found.failure !== undefined && <FailureNote cause={found.failure} again={found.again} />}
      </>
    );
  return (
    <>
      <p class="crumb">
        <a href="/">{t("nav.overview")}</a> › <Way place={place} />
      </p>
      <Inside place={place} failure={found.failure} again={found.again} />
    </>
  );
}

function Way({ place }: { place: Place }) {
  const way = wayTo(place.organization_id);
  return (
    <a href={`/?org=${place.organization_id}`}>
      <bdi>{way || place.organization}</bdi>
    </a>
  );
}

function Inside({ place, failure, again }: { place: Place; failure: unknown; again: () => void }) {
  const lean = useMemo(() => leanOf(place), [place]);
  const view = viewNow(lean);
  const channels = useMemo(() => place.series.map(channelOf).sort((a, b) => Number(a.ended) - Number(b.ended)), [place]);
  const interval = view.devices[0]?.interval ?? null;
  const subject = useMemo(
    () =>
      ofPlace(place.id, {
        segments: place.series.flatMap((s) => s.segments),
        interval,
        device: (id) => {
          const known = devices.peek().get(id)?.peek();
          return known && { name: deviceName(known), family: known.family };
        },
        events: place.swaps.flatMap((s) => {
          const time = millis(s.at);
          return time === null ? [] : [{ time, label: t("place.sensor-changed", { old: swapName(s.from_device, place), new: swapName(s.to_device, place) }) }];
        }),
      }),
    [place, interval],
  );
  const heard = view.received === null ? null : String(view.received);
  return (
    <>
      <Head place={place} view={view} onChanged={again} />
      {failure !== undefined && <FailureNote cause={failure} again={again} />}
      {channels.length > 0 ? may("sample.read") && <ChartPanel of={subject} channels={channels} heard={heard} /> : <p class="note">{t("place.no-chart")}</p>}
      <div class="two even">
        {view.values.length > 0 && <LatestTable values={view.values} />}
        <DevicesPanel place={place} onDone={again} />
      </div>
      {may("audit.read") && <ThingAudit on={`place ${place.id}`} />}
    </>
  );
}

/** The place as lists have it, with the channels that are there now. */
function leanOf(place: Place): LeanPlace {
  const now = place.series.flatMap((s) => (s.now === null ? [] : [{ channel: s.now, series: s.id }]));
  return { id: place.id, name: place.name, organization_id: place.organization_id, device_ids: place.device_ids, channel_ids: now.map((n) => n.channel), series_ids: now.map((n) => n.series) };
}

/** A series as a chart takes it. */
function channelOf(series: PlaceSeries): Channel {
  const { id, number, name, quantity: of, unit, decimals, now } = series;
  return { id, number, name, quantity: of, unit, decimals, ended: now === null };
}

type Asking = "edit" | "close" | "swap" | "attach";

function Head({ place, view, onChanged }: { place: Place; view: PlaceView; onChanged: () => void }) {
  const [asking, setAsking] = useState<Asking | null>(null);
  const [first, ...more] = view.values;
  const why = place.closed ? "" : whyOfPlace(view);
  useAnnounced(why);
  const close = () => setAsking(null);
  return (
    <section class="verdict">
      <Heading>
        <bdi>{placeName(place)}</bdi>
        {first && first.value !== null && <span class={`value ${view.state === "silent" ? "silent" : toneOf(first)}`}> {quantity(first.value, first.decimals, first.unit)}</span>}
      </Heading>
      {place.closed && <span class="state retired">{t("place.closed")}</span>}
      {why && <span class={`why ${view.state}`}>{why}</span>}
      <span class="buttons">
        {may("evidence.read") && <EvidenceButton place={place} />}
        {may("device.attach") && !place.closed && place.device_ids.length > 0 && (
          <button type="button" class="btn" onClick={() => setAsking("swap")}>
            {t("swap.open")}
          </button>
        )}
        {may("device.attach") && !place.closed && (
          <button type="button" class="btn" onClick={() => setAsking("attach")}>
            {t("place.attach")}
          </button>
        )}
        {may("place.change") && (
          <button type="button" class="btn" onClick={() => setAsking("edit")}>
            {t("place.edit")}
          </button>
        )}
        {may("place.change") && (
          <button type="button" class="btn" onClick={() => setAsking("close")}>
            {t(place.closed ? "place.reopen-open" : "place.close-open")}
          </button>
        )}
      </span>
      <div class="facts">
        {more.map((v) => v.value !== null && <span key={v.channel_id}>{shortValue(v, view.values)}</span>)}
        <span>
          {t("facts.as-of")} <b>{instant(asOf.value)}</b>
        </span>
      </div>
      {asking === "edit" && <EditPlaceDialog place={place} onDone={onChanged} onClose={close} />}
      {asking === "close" && <ClosePlaceDialog place={place} onDone={onChanged} onClose={close} />}
      {asking === "attach" && <AttachDialog place={place} onDone={onChanged} onClose={close} />}
      {asking === "swap" && <SwapDialog place={place} onDone={onChanged} onClose={close} />}
    </section>
  );
}
