import type { Channel, Device, LatestValue } from "./types";

// What the API answers about organizations, places and swaps. Times are RFC 3339 in UTC.

export interface Organization {
  id: number;
  /** The node above; null for the highest, and where the caller may not see it. */
  parent_id: number | null;
  /** The root may have none: "". */
  name: string;
  /** The names from the highest down: "/Acme/Brno"; the root is "/". */
  path: string;
  /** The zone that counts here: its own, or the nearest above. */
  time_zone: string;
  /** Its own zone; "" where it takes that of the node above. */
  own_time_zone: string;
  /** The open places and the devices that belong to this very node. */
  places: number;
  devices: number;
  closed: boolean;
}

export interface OrganizationList {
  at: string;
  organizations: Organization[];
}

/** A place as lists have it. Channels and series are in the same order; both may be left out. */
export interface LeanPlace {
  id: number;
  name: string;
  organization_id: number;
  device_ids: number[];
  channel_ids?: number[];
  series_ids?: number[];
  closed?: boolean;
}

export interface LeanPlaceList {
  places: LeanPlace[];
  next: string | null;
}

/** A stretch of a series that one channel measured: from inclusive, to exclusive, null while it lasts. */
export interface Segment {
  channel_id: number;
  device_id: number;
  device: string;
  serial: string;
  unit: string;
  from: string;
  to: string | null;
}

/** A line of a place's history that goes on when the sensor is changed. */
export interface PlaceSeries {
  /** Its first channel. */
  id: number;
  quantity: string;
  unit: string;
  name: string;
  decimals: number;
  number: number;
  /** The channel that measures it now; null where none does. */
  now: number | null;
  segments: Segment[];
}

export interface PlaceSwap {
  at: string;
  /** What it was changed from and to: a device's id, or its name. */
  from_device: number | string;
  to_device: number | string;
  by: string;
  why: string;
}

/** A place as its own page has it. */
export interface Place {
  id: number;
  name: string;
  organization_id: number;
  /** The path of its organization. */
  organization: string;
  time_zone: string;
  closed: boolean;
  device_ids: number[];
  channels: (Channel & { device_id?: number })[];
  series: PlaceSeries[];
  swaps: PlaceSwap[];
}

/** Where a device is or was, from inclusive, to exclusive. */
export interface Stay {
  id: number;
  name: string;
  from: string;
  to: string | null;
}

/** A device with what the tree adds to it. */
export interface PlacedDevice extends Device {
  organization_id?: number;
  places?: Stay[];
}

export type Differs = "unit" | "quantity" | "missing" | "new";

/** A channel of the device that goes and the one that takes its place. */
export interface SwapPair {
  old: Channel | null;
  new: Channel | null;
  differs: Differs[];
}

export interface SwapPlan {
  from: Device;
  to: Device;
  channels: SwapPair[];
  warnings: string[];
  /** The instant that is proposed. */
  at: string;
}

/** A value at a place, with the device that measured it. */
export interface PlaceValue extends LatestValue {
  device_id: number;
  /** The series of the place that it continues; null where that is not known. */
  series_id: number | null;
}
