import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { span, zone } from "../words/format";
import { t } from "../words/messages";
import { named } from "../words/zone";
import { numberLabels, timeLabels } from "./axes";
import type { Range } from "./range";
import { drawn, type Series } from "./series";
import type { Event } from "./subject";

/** One channel of a plot. */
export interface Line {
  id: number;
  series: Series;
  interval: number | null;
  decimals: number;
  /** Which of the line colours, from 0. */
  shade: number;
  /** The instants of samples with something unusual, in milliseconds, and whether they have a value. */
  marks: { time: number; value: number | null; alarm: boolean }[];
}

/** What a person did in a plot. */
export interface Gestures {
  /** A stretch was chosen, or the plot was dragged aside. */
  range: (range: Range) => void;
  /** Zoom out, by a double click. */
  out: () => void;
  /** The pointer is over an instant (milliseconds), or has left. */
  point: (time: number | null) => void;
}

/** The width of the value axis; the band of completeness below is set in as far. */
export const axisWidth = (width: number): number => (width < 520 ? 42 : 54);
/** The room at the right edge, so that the last label is whole. */
export const edgeWidth = 12;

/** Dashes tell lines apart where colours do not. */
const dashes: number[][] = [[], [7, 4], [2, 3], [10, 3, 2, 3], [14, 4], [4, 6], [1, 5], [10, 2, 2, 2, 2, 2]];
export const shades = 4;

type Ink = Record<"line" | "faint" | "silent" | "warn" | "alarm" | "card", string> & { lines: string[] };

/** Reads the colours of the theme; a canvas does not understand the style sheet's own. */
function inkOf(root: HTMLElement): Ink {
  const probe = document.createElement("i");
  root.append(probe);
  const colour = (name: string) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const ink = {
    line: colour("line"),
    faint: colour("faint"),
    silent: colour("silent"),
    warn: colour("warn"),
    alarm: colour("alarm"),
    card: colour("card"),
    lines: Array.from({ length: shades }, (_, i) => colour(`line-${i + 1}`)),
  };
  probe.remove();
  return ink;
}

/** A plot of the channels of one unit, drawn on a canvas in a given element. */
export class Plot {
  private plot: uPlot | undefined;
  private ink: Ink;
  private lines: Line[] = [];
  private gaps: Range[] = [];
  private events: Event[] = [];
  /** The zone of the marks on the axis of time. */
  private zone = zone.peek();
  private range: Range = { from: 0, to: 1 };
  private readonly ended = new AbortController();
  private readonly sizes: ResizeObserver;

  constructor(
    private readonly root: HTMLElement,
    private readonly sync: string,
    private readonly gestures: Gestures,
  ) {
    this.ink = inkOf(root);
    this.sizes = new ResizeObserver(() => this.plot?.setSize(this.size()));
    this.sizes.observe(root);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.repaint(), { signal: this.ended.signal });
  }

  /** Shows these lines over this range; gaps are shaded, events stand as upright lines. */
  show(lines: Line[], range: Range, gaps: Range[], events: Event[]): void {
    const same = this.plot && this.zone === zone.peek() && lines.length === this.lines.length && lines.every((l, i) => l.id === this.lines[i]?.id && l.shade === this.lines[i]?.shade);
    this.lines = lines;
    this.range = range;
    this.gaps = gaps;
    this.events = events;
    this.zone = zone.peek();
    const tables = lines.map((line) => {
      const d = drawn(line.series, line.interval);
      return [d.time, d.value, d.low, d.high] as uPlot.AlignedData;
    });
    const data = tables.length ? uPlot.join(tables) : ([[]] as uPlot.AlignedData);
    if (!same) {
      this.plot?.destroy();
      this.plot = new uPlot({ ...this.options(), ...this.size() }, data, this.root);
    } else this.plot?.setData(data, false);
    this.plot?.setScale("x", { min: range.from / 1000, max: range.to / 1000 });
  }

  end(): void {
    this.ended.abort();
    this.sizes.disconnect();
    this.plot?.destroy();
  }

  private repaint(): void {
    this.ink = inkOf(this.root);
    this.plot?.redraw();
  }

  private size(): { width: number; height: number } {
    return { width: Math.max(120, this.root.clientWidth), height: Math.max(120, this.root.clientHeight) };
  }

  private options(): Omit<uPlot.Options, "width" | "height"> {
    const { lines } = this;
    const font = `12px ${getComputedStyle(this.root).fontFamily}`;
    const axis = { font, stroke: () => this.ink.faint, ticks: { show: false } };
    return {
      pxAlign: 0,
      legend: { show: false },
      padding: [18, edgeWidth, 0, 0],
      tzDate: (at) => this.dateOf(at),
      scales: { x: { time: true }, y: { range: (_u, low, high) => this.scale(low, high) } },
      axes: [
        { ...axis, size: 26, gap: 4, space: 84, grid: { show: false }, values: (_u, marks, _axis, _space, step) => timeLabels(marks, step, (this.range.to - this.range.from) / 1000) },
        { ...axis, size: (u) => axisWidth(u.width), gap: 8, values: (_u, marks) => numberLabels(marks), grid: { stroke: () => this.ink.line, width: 1 } },
      ],
      series: [{}, ...lines.flatMap((line) => this.seriesOf(line))],
      bands: lines.map((line, i) => ({
        series: [i * 3 + 3, i * 3 + 2] as [number, number],
        fill: () => fade(this.colour(line), 0.16),
      })),
      cursor: {
        y: false,
        sync: { key: this.sync, setSeries: false },
        drag: { x: true, y: false, setScale: false },
        points: { size: 7, show: (_u, i) => ((i - 1) % 3 === 0 ? dot(this.colourAt(i)) : dot(null)) },
        bind: {
          mousedown: (_u, _target, handler) => (event: MouseEvent) => (event.shiftKey ? null : handler(event)),
          dblclick: () => () => {
            this.gestures.out();
            return null;
          },
        },
      },
      hooks: {
        ready: [(u) => this.drags(u)],
        drawAxes: [(u) => this.shadeGaps(u)],
        draw: [(u) => this.drawMarks(u), (u) => this.drawEvents(u)],
        setCursor: [(u) => this.gestures.point(u.cursor.left !== undefined && u.cursor.left >= 0 ? u.posToVal(u.cursor.left, "x") * 1000 : null)],
        setSelect: [(u) => this.selected(u)],
      },
    };
  }

  private seriesOf(line: Line): uPlot.Series[] {
    const dash = dashes[line.shade % dashes.length] ?? [];
    const edge: uPlot.Series = { stroke: "transparent", width: 0, points: { show: false } };
    return [
      { stroke: () => this.colour(line), width: 1.7, ...(dash.length ? { dash } : {}), points: { show: true, size: 4, width: 0, fill: () => this.colour(line), filter: alone } },
      edge,
      edge,
    ];
  }

  private colour(line: Line): string {
    return this.ink.lines[line.shade % shades] ?? this.ink.faint;
  }

  private colourAt(series: number): string {
    const line = this.lines[Math.floor((series - 1) / 3)];
    return line ? this.colour(line) : this.ink.faint;
  }

  /** Leaves air above and below, and does not blow the last decimal up to the whole height. */
  private scale(low: number | null, high: number | null): [number, number] {
    if (low === null || high === null || !Number.isFinite(low) || !Number.isFinite(high)) return [0, 1];
    const decimals = Math.max(0, ...this.lines.map((l) => l.decimals));
    const least = 10 * 10 ** -decimals;
    const height = Math.max(high - low, least);
    const air = height * 0.1;
    const middle = (low + high) / 2;
    return [middle - height / 2 - air, middle + height / 2 + air];
  }

  private selected(u: uPlot): void {
    const { left, width } = u.select;
    if (width < 4) return;
    const from = u.posToVal(left, "x") * 1000,
      to = u.posToVal(left + width, "x") * 1000;
    u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.gestures.range({ from: Math.round(from), to: Math.round(to) });
  }

  /** Drags the plot aside: with the shift key, or by a finger. */
  private drags(u: uPlot): void {
    const { signal } = this.ended;
    let start: { x: number; range: Range } | null = null;
    const moved = (event: PointerEvent): Range | null => {
      if (!start) return null;
      const by = ((event.clientX - start.x) / u.over.clientWidth) * (start.range.to - start.range.from);
      return { from: Math.round(start.range.from - by), to: Math.round(start.range.to - by) };
    };
    u.over.addEventListener("pointerdown", (event) => {
      if (!event.shiftKey && event.pointerType !== "touch") return;
      start = { x: event.clientX, range: this.range };
      u.over.setPointerCapture(event.pointerId);
    }, { signal });
    u.over.addEventListener("pointermove", (event) => {
      const to = moved(event);
      if (to) u.setScale("x", { min: to.from / 1000, max: to.to / 1000 });
    }, { signal });
    const stop = (event: PointerEvent) => {
      const to = moved(event);
      const far = start && Math.abs(event.clientX - start.x) > 3;
      start = null;
      if (to && far) this.gestures.range(to);
    };
    u.over.addEventListener("pointerup", stop, { signal });
    u.over.addEventListener("pointercancel", stop, { signal });
  }

  private shadeGaps(u: uPlot): void {
    const { ctx } = u;
    const { left, top, width, height } = u.bbox;
    const scale = devicePixelRatio;
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, top, width, height);
    ctx.clip();
    ctx.font = `${11.5 * scale}px ${getComputedStyle(this.root).fontFamily}`;
    ctx.textAlign = "center";
    let labelled = -Infinity;
    for (const gap of this.gaps) {
      const a = Math.max(left, u.valToPos(gap.from / 1000, "x", true)),
        b = Math.min(left + width, u.valToPos(gap.to / 1000, "x", true));
      if (b <= a) continue;
      ctx.fillStyle = fade(this.ink.silent, 0.1);
      ctx.fillRect(a, top, Math.max(b - a, scale), height);
      const text = t("chart.no-data", { span: span((gap.to - gap.from) / 1000) });
      const half = ctx.measureText(text).width / 2;
      const middle = Math.min(left + width - half - 4, Math.max(left + half + 4, (a + b) / 2));
      // A narrow gap keeps its label only where it says something at this scale and meets no other.
      if (b - a < 14 * scale || middle - half < labelled) continue;
      ctx.fillStyle = this.ink.silent;
      ctx.fillText(text, middle, top + 13 * scale);
      labelled = middle + half + 8 * scale;
    }
    ctx.restore();
  }

  /** The date of an instant in seconds whose fields are those of the zone that is shown. */
  private dateOf(at: number): Date {
    const { timeZone } = named(this.zone);
    const date = new Date(at * 1000);
    return timeZone ? uPlot.tzDate(date, timeZone) : date;
  }

  /** An upright line and what happened, where there is room for the words; the table beside the chart has all of them. */
  private drawEvents(u: uPlot): void {
    const { ctx } = u;
    const { left, top, width, height } = u.bbox;
    const scale = devicePixelRatio;
    ctx.save();
    ctx.font = `${11.5 * scale}px ${getComputedStyle(this.root).fontFamily}`;
    ctx.lineWidth = scale;
    ctx.setLineDash([4 * scale, 3 * scale]);
    ctx.strokeStyle = ctx.fillStyle = this.ink.faint;
    ctx.textAlign = "left";
    let labelled = left;
    for (const event of [...this.events].sort((a, b) => a.time - b.time)) {
      const x = Math.round(u.valToPos(event.time / 1000, "x", true));
      if (x < left || x > left + width) continue;
      ctx.beginPath();
      ctx.moveTo(x, top);
      ctx.lineTo(x, top + height);
      ctx.stroke();
      const long = ctx.measureText(event.label).width;
      const begin = Math.min(x + 5 * scale, left + width - long - 4 * scale);
      if (begin < labelled) continue;
      ctx.fillText(event.label, begin, top + height - 7 * scale);
      labelled = begin + long + 8 * scale;
    }
    ctx.restore();
  }

  private drawMarks(u: uPlot): void {
    const { ctx } = u;
    const { left, top, width, height } = u.bbox;
    const size = 3.5 * devicePixelRatio;
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, top, width, height + size);
    ctx.clip();
    for (const mark of this.lines.flatMap((l) => l.marks)) {
      const x = u.valToPos(mark.time / 1000, "x", true);
      ctx.beginPath();
      if (mark.value === null) {
        // A sample without a value stands at the foot, as a triangle: colour is never alone.
        const y = top + height - 1;
        ctx.fillStyle = this.ink.warn;
        ctx.moveTo(x, y - 2 * size);
        ctx.lineTo(x + size, y);
        ctx.lineTo(x - size, y);
      } else if (mark.alarm) {
        const y = u.valToPos(mark.value, "y", true);
        ctx.fillStyle = this.ink.alarm;
        ctx.arc(x, y, size * 0.8, 0, 2 * Math.PI);
      }
      ctx.fill();
    }
    ctx.restore();
  }
}

/** The places of points that have no neighbour to draw a line to. */
function alone(u: uPlot, series: number, show: boolean): number[] | null {
  const values = u.data[series];
  if (!values || !show) return null;
  const out: number[] = [];
  // Undefined is only another line's instant; null is a gap.
  let before: number | null = null,
    candidate: number | null = null;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value === undefined) continue;
    if (value === null) {
      if (candidate !== null) out.push(candidate);
      candidate = null;
    } else candidate = before === null ? i : null;
    before = value;
  }
  if (candidate !== null) out.push(candidate);
  return out;
}

/** The dot on a line under the pointer; the edges of a band have none. */
function dot(colour: string | null): HTMLElement {
  const element = document.createElement("div");
  if (colour === null) element.hidden = true;
  else {
    element.style.background = colour;
    element.style.width = element.style.height = "7px";
  }
  return element;
}

function fade(colour: string, alpha: number): string {
  const [r, g, b] = colour.match(/[\d.]+/g) ?? ["0", "0", "0"];
  return `rgba(${r}, ${g}, ${b}, ${alpha})`;
}
