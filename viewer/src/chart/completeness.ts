import type { Gap } from "../api/proof";
import type { Completeness } from "../api/types";
import { causeName, causeWords } from "../words/device";
import { millis } from "../words/format";
import { joined, t } from "../words/messages";
import { visible } from "../words/text";
import type { Range } from "./range";

/** A gap with its ends in milliseconds. */
export interface GapSpan extends Range {
  gap: Gap;
}

/** The gaps that have both ends. */
export function spansOf(completeness: Completeness | null): GapSpan[] {
  return (completeness?.gaps ?? []).flatMap((gap) => {
    const from = millis(gap.from),
      to = millis(gap.to);
    return from === null || to === null ? [] : [{ from, to, gap }];
  });
}

/** The part of a range in which something was expected; null where there is none. */
export function watchedOf({ expected }: Pick<Completeness, "expected">, range: Range, since: number | null, now: number): Range | null {
  if (expected === 0 || since === null) return null;
  const watched = { from: Math.max(range.from, since), to: Math.min(range.to, now) };
  return watched.to > watched.from ? watched : null;
}

/** The gap in which an instant lies, or undefined. */
export function gapAt(spans: GapSpan[], time: number): Gap | undefined {
  return spans.find((s) => time >= s.from && time < s.to)?.gap;
}

/** What is missing in a gap and why, in words: "300 missing: device switched off, says Eva: defrosted". */
export function gapWords(gap: Gap, family: string): string {
  const cause = causeWords(gap.cause, family);
  const words = t("completeness.missing-because", { n: gap.messages, cause: gap.by ? t("gaps.says", { cause, by: visible(gap.by) }) : cause });
  return gap.note ? t("gaps.with-note", { words, note: visible(gap.note) }) : words;
}

/** How many messages are missing for each cause, most first. */
export function missingByCause(completeness: Completeness): { cause: string; messages: number }[] {
  const sums = new Map<string, number>();
  for (const gap of completeness.gaps) sums.set(gap.cause, (sums.get(gap.cause) ?? 0) + gap.messages);
  return [...sums].map(([cause, messages]) => ({ cause, messages })).filter((c) => c.messages > 0).sort((a, b) => b.messages - a.messages);
}

/** The completeness in words: "Received 9,780 of 10,080, 480 late, 300 missing: cause not known". */
export function completenessWords(completeness: Completeness): string {
  const { expected, received, late, missing, uncertain, duplicates, conflicts, extra } = completeness;
  if (expected === 0 && received === 0) return t("completeness.none-expected");
  const parts = [
    expected === null ? t("completeness.received", { n: received }) : t("completeness.of", { received, n: expected }),
    ...(late ? [t("completeness.late", { n: late })] : []),
    ...(missing ? [missingWords(completeness)] : []),
    ...(uncertain ? [t("completeness.uncertain", { n: uncertain })] : []),
    ...(duplicates ? [t("completeness.duplicates", { n: duplicates })] : []),
    ...(conflicts ? [t("completeness.conflicts", { n: conflicts })] : []),
    ...(extra ? [t("completeness.extra", { n: extra })] : []),
  ];
  if (expected !== null && expected > 0 && !missing && !uncertain) parts.push(t("completeness.nothing-missing"));
  return joined(parts);
}

function missingWords(completeness: Completeness): string {
  const causes = missingByCause(completeness);
  const n = completeness.missing;
  const [only] = causes;
  if (!only) return t("completeness.missing", { n });
  if (causes.length === 1) return t("completeness.missing-because", { n, cause: causeName(only.cause) });
  return t("completeness.missing-because", {
    n,
    cause: joined(causes.map((c) => t("completeness.cause", { n: c.messages, cause: causeName(c.cause) }))),
  });
}
