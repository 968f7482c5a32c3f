import { Fragment } from "preact";
import { useMemo, useState } from "preact/hooks";
import { channelTitle } from "../words/device";
import { decimal, instant } from "../words/format";
import { t } from "../words/messages";
import { isRemarkable, qualityWords } from "../words/quality";
import { visible } from "../words/text";
import type { Shown } from "./shown";
import type { Event } from "./subject";

/** As many rows as are put into the page at once. */
const rowsAtOnce = 200;

/** The same data as the chart, newest first. */
export function SeriesTable({ shown, events }: { shown: Shown[]; events: Event[] }) {
  const [rows, setRows] = useState(rowsAtOnce);
  const times = useMemo(() => [...new Set(shown.flatMap((s) => s.series.time))].sort((a, b) => b - a), [shown]);
  const places = useMemo(() => shown.map((s) => placesOf(s.series.time)), [shown]);
  const channels = shown.map((s) => s.channel);
  const buckets = shown.some((s) => s.series.width > 0);
  return (
    <div class="series-table">
      <div class="scroll tall" tabIndex={0} role="group" aria-label={t("chart.table-label")}>
        <table>
          <thead>
            <tr>
              <th scope="col">{t(buckets ? "table.middle" : "table.time")}</th>
              {shown.map((s) => (
                <th key={s.channel.id} scope="col" class="num">
                  {channelTitle(s.channel, channels)} {visible(s.channel.unit)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {times.slice(0, rows).map((time, row) => (
              <Fragment key={time}>
              {eventsBetween(events, time, times[row - 1]).map((e) => (
                <tr key={`event ${e.time}`} class="event">
                  <th scope="row">{instant(e.time)}</th>
                  <td colSpan={shown.length}>{e.label}</td>
                </tr>
              ))}
              <tr>
                <th scope="row">{instant(time)}</th>
                {shown.map((s, i) => (
                  <td key={s.channel.id} class="num">
                    {(places[i]?.get(time) ?? []).map((at) => (
                      <Cell key={at} of={s} at={at} />
                    ))}
                  </td>
                ))}
              </tr>
              </Fragment>
            ))}
          </tbody>
        </table>
      </div>
      {times.length > rows && (
        <button type="button" class="btn" onClick={() => setRows(rows + rowsAtOnce)}>
          {t("devices.more", { n: times.length - rows })}
        </button>
      )}
    </div>
  );
}

/** What happened at a row or between it and the newer one above. */
function eventsBetween(events: Event[], time: number, newer: number | undefined): Event[] {
  return events.filter((e) => e.time >= time && (newer === undefined || e.time < newer));
}

/** Where each instant stands; more than one sample may have the same. */
function placesOf(times: number[]): Map<number, number[]> {
  const out = new Map<number, number[]>();
  times.forEach((time, i) => {
    const known = out.get(time);
    if (known) known.push(i);
    else out.set(time, [i]);
  });
  return out;
}

function Cell({ of: { series, channel }, at }: { of: Shown; at: number }) {
  const value = series.value[at] ?? null;
  const quality = series.quality?.[at] ?? "good";
  const low = series.low?.[at] ?? null,
    high = series.high?.[at] ?? null;
  return (
    <span class="cell">
      {value !== null && decimal(value, channel.decimals)}
      {low !== null && high !== null && <small> {t("table.between", { low: decimal(low, channel.decimals), high: decimal(high, channel.decimals) })}</small>}
      {isRemarkable(quality) && <small class="quality"> {qualityWords(quality)}</small>}
    </span>
  );
}
