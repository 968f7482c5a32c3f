import type { Completeness } from "../api/types";
import { gapWords, spansOf, watchedOf } from "./completeness";
import type { Range } from "./range";

interface Props {
  completeness: Completeness;
  range: Range;
  /** Before this instant nothing could be expected, in milliseconds; null where nothing is known to be expected. */
  since: number | null;
  now: number;
  late: Range[];
  label: string;
  /** Of which family the device is. */
  family: string;
}

/** The completeness of a range as a band under the chart: received, arrived late, missing; nothing where nothing was expected. */
export function Band({ completeness, range, since, now, late, label, family }: Props) {
  const length = range.to - range.from;
  const place = (part: Range) => {
    const from = Math.max(0, (part.from - range.from) / length),
      to = Math.min(1, (part.to - range.from) / length);
    return { x: `${from * 100}%`, width: `${Math.max(0, to - from) * 100}%` };
  };
  const watched = watchedOf(completeness, range, since, now);
  return (
    <svg class="band" role="img" aria-label={label} width="100%" height="14">
      <defs>
        <pattern id="late" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
          <rect class="late" width="6" height="6" />
          <rect class="late-stripe" width="2" height="6" />
        </pattern>
      </defs>
      <rect class="none" x="0" width="100%" y="6" height="2" rx="1" />
      {watched && <rect class="complete" {...place(watched)} y="4" height="6" rx="3" />}
      {spansOf(completeness).map((s) => (
        <rect key={s.from} class="missing" {...place(s)} y="3" height="8">
          <title>{gapWords(s.gap, family)}</title>
        </rect>
      ))}
      {late.map((part) => (
        <rect key={part.from} fill="url(#late)" {...place(part)} y="3" height="8" />
      ))}
    </svg>
  );
}
