import { useComputed, type Signal } from "@preact/signals";
import type { Latest, LatestValue } from "../api/types";
import { asOf } from "../fleet/fleet";
import { stateOf, type TileState } from "../fleet/state";
import { channelName, deviceName } from "../words/device";
import { ago, decimal, millis, near, quantity, span } from "../words/format";
import { joined, t } from "../words/messages";
import { isAlarm, isFault, markWords, parseQuality, reasonWords } from "../words/quality";
import { visible } from "../words/text";
import { Trend } from "./trend";

/** As many further values as a tile has room for. */
const roomFor = 2;
/** From here on an empty battery is worth a word, in percent. */
const batteryLow = 15;

/** A device on the overview: one click leads to its chart. */
export function Tile({ device }: { device: Signal<Latest> }) {
  const d = device.value;
  const state = useComputed(() => stateOf(device.value, asOf.value));
  const age = useComputed(() => {
    const received = millis(device.value.received_at);
    return received === null ? "" : ago(received, asOf.value);
  });
  const [first, ...more] = d.values;
  const why = whyOf(d, state.value);
  return (
    <a class={`tile ${state.value}`} href={`/devices/${d.device_id}`}>
      <span class="name">
        <bdi title={deviceName(d)}>{deviceName(d)}</bdi> <em>{age}</em>
      </span>
      <span class={`row ${toneOf(first)}`}>
        <BigValue value={first} />
        {first && <Trend channel={first.channel_id} interval={d.interval} />}
      </span>
      {first && (
        <span class="more">
          {more.slice(0, roomFor).map((v) => (
            <span key={v.channel_id}>{shortValue(v, d.values)}</span>
          ))}
          {more.length > roomFor && <span>{t("tile.more", { n: more.length - roomFor })}</span>}
          {isLow(d) && <span class="low">{t("tile.battery", { n: d.battery_percent ?? 0 })}</span>}
        </span>
      )}
      {why && <span class="why">{why}</span>}
    </a>
  );
}

/** The state of one value: a device may give an alarm for another. */
export function toneOf(value: LatestValue | undefined): string {
  const quality = parseQuality(value?.quality ?? "good");
  return isAlarm(quality) ? "alarm" : isFault(quality) ? "fault" : "";
}

function isLow(device: Latest): boolean {
  return device.battery_percent !== null && device.battery_percent <= batteryLow;
}

function BigValue({ value }: { value: LatestValue | undefined }) {
  if (!value) return <span class="big none">–</span>;
  if (value.value === null) return <span class="big none" title={reasonWords(parseQuality(value.quality))}>–</span>;
  return (
    <span class="big">
      {decimal(value.value, value.decimals)}
      {value.unit && <i>{visible(value.unit)}</i>}
    </span>
  );
}

/** "62 %RH"; where the unit does not tell what it is, with its name: "dew point −1.9 °C". */
export function shortValue(value: LatestValue, sisters: LatestValue[]): string {
  const alone = value.unit !== "" && sisters.filter((s) => s.unit === value.unit).length === 1;
  const text = value.value === null ? "–" : quantity(value.value, value.decimals, value.unit);
  if (alone && value.value !== null) return text;
  const name = channelName(value);
  return t("tile.named-value", { name: name.charAt(0).toLowerCase() + name.slice(1), value: text });
}

/** Why a device needs a person, in words; empty where it does not. */
export function whyOf(device: Latest, state: TileState): string {
  const received = millis(device.received_at);
  switch (state) {
    case "reporting":
      return "";
    case "unheard":
      return t("tile.unheard");
    case "silent": {
      const heard = received === null ? "" : near(received, asOf.value);
      return device.interval === null ? t("tile.silent", { heard }) : t("tile.silent-expected", { heard, span: span(device.interval) });
    }
    case "alarm":
    case "fault":
      return joined(
        device.values.flatMap((v) => {
          const quality = parseQuality(v.quality);
          const words = [...(isFault(quality) ? [reasonWords(quality)] : []), ...(isAlarm(quality) ? markWords({ ...quality, marks: quality.marks.filter((m) => m.startsWith("alarm")) }) : [])];
          return words.length ? [t("tile.channel-says", { name: channelName(v), words: joined(words) })] : [];
        }),
      );
  }
}
