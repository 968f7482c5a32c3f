import { useEffect, useRef } from "preact/hooks";
import { zone } from "../words/format";
import { Plot, type Gestures, type Line } from "./plot";
import type { Range } from "./range";
import type { Event } from "./subject";

interface Props {
  lines: Line[];
  range: Range;
  gaps: Range[];
  events: Event[];
  /** Plots of one page move their pointers together. */
  sync: string;
  gestures: Gestures;
}

/** A plot as an element of the page. What it shows stands as a table beside it, so it is hidden from screen readers. */
export function PlotCanvas({ lines, range, gaps, events, sync, gestures }: Props) {
  const root = useRef<HTMLDivElement>(null);
  const plot = useRef<Plot>(undefined);
  const latest = useRef(gestures);
  latest.current = gestures;

  useEffect(() => {
    if (!root.current) return;
    const made = new Plot(root.current, sync, {
      range: (r) => latest.current.range(r),
      out: () => latest.current.out(),
      point: (time) => latest.current.point(time),
    });
    plot.current = made;
    return () => made.end();
  }, [sync]);

  useEffect(() => plot.current?.show(lines, range, gaps, events), [lines, range, gaps, events, zone.value]);
  return <div class="plot" ref={root} aria-hidden="true" />;
}
