import type { DeviceState, StatusMessage } from "../api/types";
import { t, type Key } from "./messages";
import { visible } from "./text";

const families: Record<string, Key> = {
  websensor: "family.websensor",
  wifi: "family.wifi",
  tax6xx: "family.tax6xx",
  modem: "family.modem",
};

/** What people call a family; one that this viewer does not know keeps the server's word. */
export function familyName(family: string): string {
  const key = families[family];
  return key ? t(key) : visible(family);
}

const states: Record<DeviceState, Key> = {
  new: "state.new",
  accepted: "state.accepted",
  suspended: "state.suspended",
  rejected: "state.rejected",
  retired: "state.retired",
};

export const deviceStates: readonly DeviceState[] = ["new", "accepted", "suspended", "rejected", "retired"];

export function stateName(state: DeviceState): string {
  const key = states[state] as Key | undefined;
  return key ? t(key) : visible(state);
}

/** The name that people gave, else what the device calls itself, else its serial number. */
export function deviceName(device: { name: string; serial: string }): string {
  return visible(device.name.trim() || device.serial);
}

/** What people call a place. */
export function placeName(place: { id: number; name: string }): string {
  return visible(place.name.trim()) || t("place.number", { n: place.id });
}

const quantities: Record<string, Key> = {
  temperature: "quantity.temperature",
  humidity: "quantity.humidity",
  "dew point": "quantity.dew-point",
  "absolute humidity": "quantity.absolute-humidity",
  "specific humidity": "quantity.specific-humidity",
  "mixing ratio": "quantity.mixing-ratio",
  "specific enthalpy": "quantity.specific-enthalpy",
  pressure: "quantity.pressure",
  CO2: "quantity.co2",
  current: "quantity.current",
  binary: "quantity.binary",
};

export function quantityName(quantity: string): string {
  const key = quantities[quantity];
  return key ? t(key) : visible(quantity);
}

interface Named {
  number: number;
  name: string;
  quantity: string;
}

/** What a channel is called: its own name, else its quantity, else its number. */
export function channelName(channel: Named): string {
  return visible(channel.name.trim()) || quantityName(channel.quantity) || t("channel.number", { n: channel.number });
}

/** A channel's name, told apart from its sisters of the same name by its number. */
export function channelTitle(channel: Named, sisters: Named[]): string {
  const name = channelName(channel);
  const alike = sisters.filter((s) => channelName(s) === name).length > 1;
  return alike ? t("channel.numbered", { name, n: channel.number }) : name;
}

const causes: Record<string, Key> = {
  "no-network": "cause.no-network",
  "server-refused": "cause.server-refused",
  "server-down": "cause.server-down",
  "restart-or-off": "cause.restart-or-off",
  "switched-off": "cause.switched-off",
  "cache-cleared": "cause.cache-cleared",
  quarantined: "cause.quarantined",
  "interval-changed": "cause.interval-changed",
  "order-gap": "cause.order-gap",
  unknown: "cause.unknown",
};

/** Why messages are missing. */
export function causeName(cause: string): string {
  const key = causes[cause];
  return key ? t(key) : visible(cause);
}

/** What a person may say of a gap, those that only a person can know first; "unknown" takes back what was said. */
const sayable: readonly string[] = ["switched-off", "restart-or-off", "no-network", "server-down", "server-refused", "cache-cleared", "unknown"];
/** Order numbers prove that the device was running, so only these count over a jump of them. */
const sayableOfOrderGap: readonly string[] = ["no-network", "server-down", "server-refused", "unknown"];

/** What a person may say of messages that are missing for this cause. None where a message or the log proves another. */
export function sayableCauses(cause: string, said: boolean): readonly string[] {
  if (cause === "order-gap") return sayableOfOrderGap;
  return said || cause === "unknown" || cause === "restart-or-off" ? sayable : [];
}

/** Why messages are missing, where it is known of which family the device is: one of them never says. */
export function causeWords(cause: string, family: string): string {
  return cause === "unknown" && family === "websensor" ? t("cause.unknown-family") : causeName(cause);
}

/** How grave a message of the server is, in a word. */
export function severityName(severity: StatusMessage["severity"]): string {
  return t(severity === "failing" ? "severity.failing" : "severity.degraded");
}
