import type { Segment } from "../api/tree";
import type { Device } from "../api/types";
import { deviceName } from "../words/device";
import { isBeginning, millis } from "../words/format";
import { between } from "./load";
import type { Range } from "./range";

/** A device whose gaps a person may explain. */
export interface Explained {
  id: number;
  name: string;
  family: string;
}

/** Something that happened at an instant and that the chart marks. */
export interface Event {
  time: number;
  label: string;
}

/** What a chart is of: a device with its channels, or a place with its series. */
export interface Subject {
  /** Tells it from all others: "/devices/12", which is also where its completeness is asked for. */
  key: string;
  /** Where the samples of one of its lines are asked for, without the range. */
  samples: (line: number) => string;
  /** Names the files that are saved: "channel-7". */
  file: (line: number) => string;
  /** Seconds between two messages, null where they are not known. */
  interval: number | null;
  /** From when on something could be expected of it, null where that is not known. */
  since: number | null;
  /** Of which family its device is; "" where there are several. */
  family: string;
  /** The one device to which a gap belongs; null where several may have caused it. */
  deviceOf: (gap: Range) => Explained | null;
  events: Event[];
}

export function ofDevice(device: Device): Subject {
  const explained = { id: device.id, name: deviceName(device), family: device.family };
  return {
    key: `/devices/${device.id}`,
    samples: (line) => `/channels/${line}/samples?`,
    file: (line) => `channel-${line}`,
    interval: device.interval,
    since: millis(device.first_seen_at),
    family: device.family,
    deviceOf: () => explained,
    events: [],
  };
}

/** What a place's chart needs beside its id. */
export interface OfPlace {
  segments: readonly Segment[];
  interval: number | null;
  /** What is known of a device, undefined where nothing is. */
  device: (id: number) => { name: string; family: string } | undefined;
  events: Event[];
}

export function ofPlace(id: number, { segments, interval, device, events }: OfPlace): Subject {
  const families = new Set(segments.map((s) => device(s.device_id)?.family ?? ""));
  const [family = ""] = families.size === 1 ? families : [];
  return {
    key: `/places/${id}`,
    samples: (line) => `/places/${id}/samples?series=${line}&`,
    file: (line) => `place-${id}-series-${line}`,
    interval,
    since: since(segments),
    family,
    deviceOf: (gap) => {
      const there = [...new Set(segments.filter((s) => overlaps(s, gap)).map((s) => s.device_id))];
      const [only, ...more] = there;
      const known = only === undefined || more.length > 0 ? undefined : device(only);
      return only === undefined || !known ? null : { id: only, ...known };
    },
    events,
  };
}

/** Since the first device was put here; not known where one is here from the beginning, for that does not say when it began to send. */
function since(segments: readonly Segment[]): number | null {
  const begins = segments.map((s) => millis(s.from)).filter((at) => at !== null);
  const first = Math.min(...begins);
  return begins.length === 0 || isBeginning(first) ? null : first;
}

function overlaps(segment: Segment, { from, to }: Range): boolean {
  const begin = millis(segment.from) ?? -Infinity,
    end = millis(segment.to) ?? Infinity;
  return begin < to && end > from;
}

/** The whole address of a line's samples over a range, without the API's root. */
export function samplesOf(subject: Subject, line: number, range: Range): string {
  return `${subject.samples(line)}${between(range)}`;
}
