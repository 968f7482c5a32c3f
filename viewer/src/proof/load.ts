import { signal } from "@preact/signals";
import { ask } from "../api/client";
import type { FleetCompleteness, Proof } from "../api/proof";
import { devices } from "../fleet/fleet";
import { daysOf, fleetFigures, type Days, type FleetFigures } from "./days";

/** What the first page knows of the proof. It is kept, for the calendar of a large fleet is not counted anew at every visit. */
export interface Known {
  proof: Proof | null;
  figures: (FleetFigures & { days: Days }) | null;
  /** When it was asked for, in milliseconds by the browser's clock. */
  at: number;
}

export const known = signal<Known | null>(null);

/** Whether messages of a device are expected now. */
export function isAccepted(device: number): boolean {
  return devices.peek().has(device);
}

/** Asks for how the proof stands. */
export function loadProof(signal: AbortSignal): Promise<Proof> {
  return ask<Proof>("/proof", { signal });
}

/** Counts the completeness of all devices over the last thirty days and today. */
export async function loadRecent(now: number, signal: AbortSignal): Promise<FleetFigures & { days: Days }> {
  const days = daysOf("recent", now);
  const fleet = await ask<FleetCompleteness>(`/completeness?from=${days.from}&to=${days.to}`, { signal, unhurried: true });
  return { ...fleetFigures(fleet.devices, fleet, isAccepted), days: { from: fleet.from, to: fleet.to } };
}
