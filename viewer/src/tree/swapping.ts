import type { Differs, SwapPair, SwapPlan } from "../api/tree";
import type { Channel } from "../api/types";

// Which channel of the new device goes on with which of the old one. The server proposes; a person may choose otherwise.

/** For each channel of the old device, the id of the one that goes on with it; null where its series ends. */
export type Mapping = ReadonlyMap<number, number | null>;

export function proposed(plan: SwapPlan): Mapping {
  return new Map(plan.channels.flatMap((p) => (p.old ? [[p.old.id, p.new?.id ?? null] as const] : [])));
}

export function oldChannels(plan: SwapPlan): Channel[] {
  return plan.channels.flatMap((p) => (p.old ? [p.old] : []));
}

export function newChannels(plan: SwapPlan): Channel[] {
  return plan.channels.flatMap((p) => (p.new ? [p.new] : [])).sort((a, b) => a.number - b.number);
}

/** Gives a channel to an old one, and takes it from the one that had it: none can go on with two. */
export function mapped(mapping: Mapping, old: number, to: number | null): Mapping {
  const after = new Map(mapping);
  if (to !== null) for (const [id, other] of after) if (other === to) after.set(id, null);
  after.set(old, to);
  return after;
}

/** All pairs that come of a mapping: each old channel with what goes on with it, then the new ones that begin a series. */
export function pairs(plan: SwapPlan, mapping: Mapping): SwapPair[] {
  const fresh = newChannels(plan);
  const used = new Set([...mapping.values()]);
  return [
    ...oldChannels(plan).map((old): SwapPair => {
      const to = fresh.find((c) => c.id === mapping.get(old.id)) ?? null;
      return { old, new: to, differs: differing(old, to) };
    }),
    ...fresh.filter((c) => !used.has(c.id)).map((c): SwapPair => ({ old: null, new: c, differs: ["new"] })),
  ];
}

/** The units between which the server converts the values of a series. */
const degrees: readonly string[] = ["°C", "°F"];

/** Whether older values can be shown with the newer ones. */
export function isConvertible({ old, new: to }: Pick<SwapPair, "old" | "new">): boolean {
  return old !== null && to !== null && (old.unit === to.unit || (degrees.includes(old.unit) && degrees.includes(to.unit)));
}

export function differing(old: Channel | null, to: Channel | null): Differs[] {
  if (!old) return ["new"];
  if (!to) return ["missing"];
  if (old.quantity !== to.quantity) return ["quantity"];
  return old.unit === to.unit ? [] : ["unit"];
}
