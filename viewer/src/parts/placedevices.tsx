import { useState } from "preact/hooks";
import type { Place, PlaceSwap, Segment } from "../api/tree";
import { asOf, may } from "../fleet/fleet";
import { channelTitle, deviceName } from "../words/device";
import { begun, instant, millis, near } from "../words/format";
import { joined, t } from "../words/messages";
import { visible } from "../words/text";
import { DetachDialog } from "./placeedit";
import { Table } from "./table";

/** A device at a place, from one instant to another. */
export interface Visit {
  device: number;
  name: string;
  serial: string;
  from: number;
  /** null while it lasts. */
  to: number | null;
  series: string[];
}

/** Who was at a place when, the newest first. What one device measured over the same time is one visit. */
export function visitsOf(place: Pick<Place, "series">): Visit[] {
  const visits = new Map<string, Visit>();
  for (const series of place.series)
    for (const s of series.segments) {
      const key = `${s.device_id} ${s.from} ${s.to ?? ""}`;
      const title = channelTitle(series, place.series);
      const known = visits.get(key);
      if (known) known.series.push(title);
      else visits.set(key, { device: s.device_id, name: nameOf(s), serial: s.serial, from: millis(s.from) ?? 0, to: millis(s.to), series: [title] });
    }
  return [...visits.values()].sort((a, b) => (b.to ?? Infinity) - (a.to ?? Infinity) || b.from - a.from);
}

function nameOf(segment: Segment): string {
  return deviceName({ name: segment.device, serial: segment.serial });
}

/** What a swap was from and to, whatever way the server names it. */
export function swapName(of: number | string, place: Pick<Place, "series">): string {
  if (typeof of === "string") return visible(of);
  const segment = place.series.flatMap((s) => s.segments).find((s) => s.device_id === of);
  return segment ? nameOf(segment) : t("place.device-number", { n: String(of) });
}

/** The devices of a place, now and before, and who changed them. */
export function DevicesPanel({ place, onDone }: { place: Place; onDone: () => void }) {
  const [leaving, setLeaving] = useState<Visit | null>(null);
  const visits = visitsOf(place);
  const acts = may("device.attach") && !place.closed;
  return (
    <section class="panel" aria-labelledby="devices">
      <h2 id="devices">{t("place.devices")}</h2>
      {visits.length === 0 ? (
        <p class="soft">{t("place.no-device")}</p>
      ) : (
        <Table
          label={t("place.devices")}
          class="visits"
          columns={[
            t("completeness.device"),
            t("place.since"),
            t("place.until"),
            acts && { name: t("devices.act"), unseen: true },
          ]}
        >
          {visits.map((v) => (
            <tr key={`${v.device} ${v.from} ${v.to}`}>
              <td>
                {may("device.read") ? (
                  <a class="link" href={`/devices/${v.device}`}>
                    <bdi>{v.name}</bdi>
                  </a>
                ) : (
                  <bdi>{v.name}</bdi>
                )}
                <small class="cell soft">{joined([...(v.name === visible(v.serial) ? [] : [visible(v.serial)]), ...v.series])}</small>
              </td>
              <td>{begun(v.from, asOf.value)}</td>
              <td>{v.to === null ? t("place.now") : near(v.to, asOf.value)}</td>
              {acts && (
                <td class="num">
                  {v.to === null && (
                    <button type="button" class="btn small" aria-label={t("place.detach-name", { device: v.name })} onClick={() => setLeaving(v)}>
                      {t("place.detach")}
                    </button>
                  )}
                </td>
              )}
            </tr>
          ))}
        </Table>
      )}
      {place.swaps.length > 0 && (
        <>
          <h3>{t("place.swaps")}</h3>
          <ul class="plain swaps">
            {place.swaps.map((s) => (
              <Swap key={`${s.at} ${s.from_device}`} swap={s} place={place} />
            ))}
          </ul>
        </>
      )}
      {leaving && <DetachDialog place={place} device={{ id: leaving.device, name: leaving.name }} onDone={onDone} onClose={() => setLeaving(null)} />}
    </section>
  );
}

function Swap({ swap, place }: { swap: PlaceSwap; place: Place }) {
  const at = millis(swap.at);
  return (
    <li>
      {t("place.swap-line", { old: swapName(swap.from_device, place), new: swapName(swap.to_device, place) })}
      <small class="cell soft">
        {at !== null && instant(at)}
        {swap.by && `, ${visible(swap.by)}`}
        {swap.why && `: ${t("gaps.note", { note: visible(swap.why) })}`}
      </small>
    </li>
  );
}
