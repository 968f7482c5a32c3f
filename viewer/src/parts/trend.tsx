import { useEffect, useRef, useState } from "preact/hooks";
import { inTurn } from "../api/client";
import { loadTrend } from "../chart/load";
import { drawn, type Series } from "../chart/series";
import { returns, serverNow } from "../fleet/fleet";
import { readable } from "../fleet/store";

const day = 86_400_000;
/** Enough for a small curve, and whole multiples of ten minutes over a day. */
const points = 72;
/** Fewer points are no course: they would be a stroke as high as the tile. */
const fewest = 4;
const width = 120,
  height = 36,
  edge = 3;
/** A curve in sight is loaded again after this time. */
const freshFor = 10 * 60_000;
/** A tile must stay in sight this long, in milliseconds, before its curve is asked for. */
const settle = 120;

/** The path of a curve in a box of `width` by `height`; empty where there is nothing to draw. */
export function trendPath(series: Series, interval: number | null, from: number, to: number): string {
  const d = drawn(series, interval);
  const values = d.value.filter((v) => v !== null);
  if (values.length < fewest) return "";
  const low = Math.min(...values),
    high = Math.max(...values);
  const y = (v: number) => (high > low ? height - edge - ((v - low) / (high - low)) * (height - 2 * edge) : height / 2);
  let path = "",
    pen = false;
  d.value.forEach((value, i) => {
    if (value === null) {
      pen = false;
      return;
    }
    const x = (((d.time[i] ?? 0) * 1000 - from) / (to - from)) * width;
    path += `${pen ? "L" : "M"}${x.toFixed(1)} ${y(value).toFixed(1)}`;
    pen = true;
  });
  return path;
}

/** The last day of the samples of an address as a small curve. It is loaded when it comes into sight, few at once. */
export function Trend({ samples, interval }: { samples: string; interval: number | null }) {
  const box = useRef<SVGSVGElement>(null);
  const [path, setPath] = useState("");
  useEffect(() => {
    const element = box.current;
    if (!element || !readable.value) return;
    let gone: AbortController | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let loadedAt = 0;
    const load = async () => {
      gone = new AbortController();
      const { signal } = gone;
      try {
        const to = serverNow(),
          from = to - day;
        const series = await inTurn(() => loadTrend(samples, { from, to }, points, signal), signal);
        loadedAt = Date.now();
        setPath(trendPath(series, interval, from, to));
      } catch {
        // A curve that cannot be loaded stays away: the value beside it is what counts, and the page says what is wrong.
      }
      if (!signal.aborted) timer = setTimeout(() => void load(), freshFor);
    };
    const eyes = new IntersectionObserver(([entry]) => {
      gone?.abort();
      clearTimeout(timer);
      if (!entry?.isIntersecting) return;
      // Passing by while scrolling loads nothing.
      const due = loadedAt + freshFor - Date.now();
      timer = setTimeout(() => void load(), Math.max(settle, due));
    }, { rootMargin: "80px" });
    eyes.observe(element);
    return () => {
      eyes.disconnect();
      gone?.abort();
      clearTimeout(timer);
    };
  }, [samples, interval, readable.value, returns.value]);
  return (
    <svg class="trend" ref={box} viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" aria-hidden="true">
      {path && <path d={path} vector-effect="non-scaling-stroke" />}
    </svg>
  );
}
