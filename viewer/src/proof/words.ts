import type { Counts } from "../api/proof";
import { joined, t } from "../words/messages";
import { dayName, missingPercent } from "./days";

/** What is not as it should be in a day's or a device's counts: "300 missing, 60 late". Empty where nothing is. */
export function countsWords(counts: Counts): string {
  return joined([
    ...(counts.missing > 0 ? [t("completeness.missing", { n: counts.missing })] : []),
    ...(counts.uncertain > 0 ? [t("completeness.uncertain", { n: counts.uncertain })] : []),
    ...(counts.late > 0 ? [t("completeness.late", { n: counts.late })] : []),
  ]);
}

/** A device's day in words: "Fri 20 Nov 2026: Received 1,140 of 1,440, 300 missing, 60 late (21 % missing)". The share is what its cell shows. */
export function dayWords(day: string, counts: Counts | undefined): string {
  const name = dayName(day);
  if (!counts || (counts.expected <= 0 && counts.received <= 0)) return t("days.nothing", { day: name });
  const share = missingPercent(counts);
  const lacking = share ? t("days.share", { words: countsWords(counts), share }) : countsWords(counts);
  const nothing = counts.missing <= 0 && counts.uncertain <= 0;
  return t("days.counts", {
    day: name,
    words: joined([t("completeness.of", { received: counts.received, n: counts.expected }), ...(lacking ? [lacking] : []), ...(nothing && counts.expected > 0 ? [t("completeness.nothing-missing")] : [])]),
  });
}

/** The figures of a whole fleet in words: "Received 98,540 of 100,000, 1,460 missing in 2 of 24 devices, 60 late". */
export function fleetWords(counts: Counts): string {
  const lacking = countsWords(counts);
  return joined([t("completeness.of", { received: counts.received, n: counts.expected }), ...(lacking ? [lacking] : [])]);
}
