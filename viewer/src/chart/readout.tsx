import { asOf } from "../fleet/fleet";
import { channelTitle } from "../words/device";
import { near, quantity } from "../words/format";
import { t } from "../words/messages";
import { qualityWords } from "../words/quality";
import { gapAt, gapWords, type GapSpan } from "./completeness";
import type { Shown } from "./shown";
import { shades } from "./plot";
import { gapAfter, nearest } from "./series";

interface Props {
  shown: Shown[];
  /** The instant under the pointer, null where there is none. */
  time: number | null;
  interval: number | null;
  gaps: GapSpan[];
  /** Of which family the device is. */
  family: string;
  /** The marks that the chart carries. */
  marks: { alarm: boolean }[];
}

/** The legend, which also tells what stands under the pointer. */
export function Readout({ shown, time, interval, gaps, family, marks }: Props) {
  const channels = shown.map((s) => s.channel);
  const gap = time === null ? undefined : gapAt(gaps, time);
  return (
    <div class="legend" data-part="legend">
      {shown.map((s) => (
        <span key={s.channel.id} class={`line-${(s.shade % shades) + 1}`}>
          <i class="key" />
          {channelTitle(s.channel, channels)}
          {time === null ? <span class="soft"> {t(s.series.width > 0 ? "legend.band" : "legend.samples")}</span> : <b> {at(s, time, interval)}</b>}
        </span>
      ))}
      {marks.some((m) => !m.alarm) && (
        <span>
          <i class="key none" />
          {t("legend.no-value")}
        </span>
      )}
      {marks.some((m) => m.alarm) && (
        <span>
          <i class="key alarm" />
          {t("legend.alarm")}
        </span>
      )}
      {gap && (
        <span>
          <i class="key missing" />
          <b>{gapWords(gap, family)}</b>
        </span>
      )}
      {time !== null && <span class="soft">{near(time, asOf.value)}</span>}
    </div>
  );
}

/** What stands nearest to an instant, in words. */
function at({ channel, series }: Shown, time: number, interval: number | null): string {
  const i = nearest(series, time, gapAfter(series, interval));
  if (i === null) return t("legend.nothing");
  const value = series.value[i] ?? null;
  const quality = series.quality?.[i];
  if (value === null) return quality ? qualityWords(quality) : t("legend.nothing");
  const text = quantity(value, channel.decimals, channel.unit);
  const low = series.low?.[i] ?? null,
    high = series.high?.[i] ?? null;
  if (low === null || high === null) return text;
  return t("legend.between", { value: text, low: quantity(low, channel.decimals, ""), high: quantity(high, channel.decimals, channel.unit) });
}
