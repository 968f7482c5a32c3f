import type { LeanPlace, PlaceValue } from "../api/tree";
import type { Latest, LatestValue } from "../api/types";
import { asOf } from "../fleet/fleet";
import { viewNow } from "../fleet/places";
import type { PlaceView } from "../fleet/placestate";
import { stateOf, type TileState } from "../fleet/state";
import { channelName, placeName } from "../words/device";
import { ago, decimal, millis, near, quantity, span } from "../words/format";
import { joined, t } from "../words/messages";
import { isAlarm, isFault, markWords, parseQuality, reasonWords } from "../words/quality";
import { visible } from "../words/text";
import { Trend } from "./trend";

/** As many further values as a tile has room for. */
const roomFor = 2;
/** From here on an empty battery is worth a word, in percent. */
const batteryLow = 15;

/** A place on the overview: one click leads to its chart. */
export function Tile({ place }: { place: LeanPlace }) {
  const { state, values, devices, received } = viewNow(place);
  const [first, ...more] = values;
  const why = whyOfPlace({ state, devices });
  const name = placeName(place);
  const low = devices.find(isLow);
  return (
    <a class={`tile ${state}`} href={`/places/${place.id}`}>
      <span class="name">
        <bdi title={name}>{name}</bdi> <em>{received === null ? "" : ago(received, asOf.value)}</em>
      </span>
      <span class={`row ${toneOf(first)}`}>
        <BigValue value={first} />
        {first && <Trend samples={samplesAt(place.id, first)} interval={devices[0]?.interval ?? null} />}
      </span>
      {first && (
        <span class="more">
          {more.slice(0, roomFor).map((v) => (
            <span key={v.channel_id}>{shortValue(v, values)}</span>
          ))}
          {more.length > roomFor && <span>{t("tile.more", { n: more.length - roomFor })}</span>}
          {low && <span class="low">{t("tile.battery", { n: low.battery_percent ?? 0 })}</span>}
        </span>
      )}
      {why && <span class="why">{why}</span>}
    </a>
  );
}

/** Where the samples of a value are asked for: those of the place, so that a change of the sensor does not cut the curve. */
function samplesAt(place: number, value: PlaceValue): string {
  return value.series_id === null ? `/channels/${value.channel_id}/samples?` : `/places/${place}/samples?series=${value.series_id}&`;
}

/** Why a place needs a person, in words; empty where it does not. */
export function whyOfPlace({ state, devices }: Pick<PlaceView, "state" | "devices">): string {
  if (state === "vacant") return t("place.vacant");
  return joined([...new Set(devices.filter((d) => stateOf(d, asOf.value) === state).map((d) => whyOf(d, state)))].filter(Boolean));
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
