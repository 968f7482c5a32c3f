import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Channel, Completeness } from "../api/types";
import { asOf, returns, serverNow } from "../fleet/fleet";
import { isAway, readable } from "../fleet/store";
import { DatesDialog } from "../parts/dates";
import { failureWords } from "../parts/failure";
import { useLoading } from "../parts/loading";
import { SteadyButton } from "../parts/steadybutton";
import { go, path, query } from "../router";
import { channelTitle } from "../words/device";
import { clock, date, near } from "../words/format";
import { t } from "../words/messages";
import { isAlarm, parseQuality } from "../words/quality";
import { visible } from "../words/text";
import { Band } from "./band";
import { PlotCanvas } from "./canvas";
import { completenessWords, spansOf, watchedOf } from "./completeness";
import { Gaps, FiguresPanel, Unusual } from "./figures";
import { loadCompleteness, loadSeries } from "./load";
import { shades, type Gestures, type Line } from "./plot";
import { clamped, isNamed, lengths, moved, rangeNames, rangeOf, readView, writeView, zoomed, type Range, type RangeName, type View } from "./range";
import { Readout } from "./readout";
import { lateStretches, remarkable, type Series } from "./series";
import type { Shown } from "./shown";
import { samplesOf, type Subject } from "./subject";
import { SeriesTable } from "./table";

const rangeKeys = { hour: "range.hour", day: "range.day", week: "range.week", month: "range.month", year: "range.year", decade: "range.decade" } as const;

/** As many channels as can be told apart in one chart. */
const mostChannels = 8;
/** A chart of the newest is loaded again no more often than this. */
const freshFor = 10_000;
/** As many marks as are drawn; beyond that they would only be a stripe. */
const mostMarks = 2_000;

interface Props {
  of: Subject;
  channels: Channel[];
  /** When the subject was last heard: a chart of the newest follows it. */
  heard: string | null;
}

interface Loaded {
  /** Which question this answers. */
  of: string;
  range: Range;
  series: Map<number, Series>;
  completeness: Completeness | null;
}

/** The chart of a device or place: its channels over a stretch of time, with what is missing, and the same as a table. */
export function ChartPanel({ of, channels, heard }: Props) {
  const search = query.value;
  const view = useMemo(() => readView(search), [search.toString()]);
  const chosen = useMemo(() => chosenChannels(search, channels), [search.toString(), channels]);
  const [table, setTable] = useState(false);
  const [dates, setDates] = useState(false);
  const [pointed, setPointed] = useState<number | null>(null);
  const fresh = useFresh(view, heard);
  const wanted = `${search.toString()} ${chosen.map((c) => c.id).join()}`;
  const loading = useLoading(
    async (signal): Promise<Loaded> => {
      const range = rangeOf(view, serverNow());
      const completeness = loadCompleteness(of.key, range, signal).catch((cause: unknown) => {
        signal.throwIfAborted();
        void cause;
        return null;
      });
      const all = Promise.all(chosen.map(async (c) => [c.id, await loadSeries(samplesOf(of, c.id, range), range, of.interval, signal)] as const));
      const [series, complete] = await Promise.all([all, completeness]);
      return { of: wanted, range, series: new Map(series), completeness: complete };
    },
    [of.key, of.interval, wanted, fresh, returns.value],
  );

  const change = useCallback((after: View) => go(`${path.value}?${writeView(query.value, after).toString()}`.replace(/\?$/, ""), !isNamed(after) && !isNamed(readView(query.value))), []);
  const here = useCallback(() => rangeOf(readView(query.value), serverNow()), []);
  const gestures: Gestures = useMemo(
    () => ({
      range: (r) => change(clamped(r, serverNow())),
      out: () => change(zoomed(here(), 2, serverNow())),
      point: setPointed,
    }),
    [],
  );
  const away = !readable.value || isAway(loading.failure);
  // While something else is loaded the answer before stays in sight, but it does not stand for one that failed.
  const loaded = loading.failure !== undefined && loading.value?.of !== wanted ? undefined : loading.value;
  const range = loaded?.range ?? rangeOf(view, asOf.value);
  const shown = useMemo(
    () => chosen.flatMap((channel, i): Shown[] => {
      const series = loaded?.series.get(channel.id);
      return series ? [{ channel, series, shade: i }] : [];
    }),
    [loaded, chosen],
  );
  const panels = useMemo(() => panelsOf(shown, of.interval), [shown, of.interval]);
  const gaps = useMemo(() => spansOf(loaded?.completeness ?? null), [loaded]);
  const late = useMemo(() => (shown[0] ? lateStretches(shown[0].series, of.interval) : []), [shown, of.interval]);
  const words = loaded?.completeness ? completenessWords(loaded.completeness) : "";
  const since = watchedSince(of, shown, gaps);
  const empty = shown.length > 0 && shown.every((s) => s.series.time.length === 0);

  return (
    <>
      <section class="panel chart" aria-labelledby="chart-title" aria-busy={loading.busy}>
        <div class="top">
          <h2 id="chart-title" class="unseen">
            {t("chart.title")}
          </h2>
          <Channels all={channels} chosen={chosen} />
          <div class="tools">
            <div class="ranges" role="group" aria-label={t("range.label")}>
              {rangeNames.map((name) => (
                <button key={name} type="button" aria-pressed={isNamed(view) && view.name === name} onClick={() => change({ name })}>
                  {t(rangeKeys[name])}
                </button>
              ))}
              <button type="button" aria-pressed={!isNamed(view)} onClick={() => setDates(true)}>
                {t("range.dates")}
              </button>
            </div>
            <Steps view={view} onView={change} />
            <button type="button" class="btn" aria-pressed={table} onClick={() => setTable(!table)}>
              {t("chart.table")}
            </button>
          </div>
        </div>
        {away && shown.length > 0 && <p class="note wanting">{t("gone.chart-older")}</p>}
        {!away && loading.failure !== undefined && <ChartFailure cause={loading.failure} again={loading.again} />}
        <div
          class={loading.busy ? "plots busy" : "plots"}
          tabIndex={0}
          role="group"
          aria-label={chartLabel(shown, range)}
          aria-describedby="chart-keys"
          onKeyDown={(event) => onKey(event, here(), change)}
        >
          {panels.map((panel) => (
            <div key={panel.unit} class={panels.length > 1 ? "plot-box small" : "plot-box"}>
              {panel.unit && <span class="unit">{visible(panel.unit)}</span>}
              <PlotCanvas lines={panel.lines} range={range} gaps={gaps} events={of.events} sync={of.key} gestures={gestures} />
            </div>
          ))}
          {shown.length === 0 && <div class="plot-box" />}
          {shown.length === 0 && away && <p class="nothing">{t("gone.chart")}</p>}
          {empty && <p class="nothing">{t("chart.empty")}</p>}
        </div>
        <p id="chart-keys" class="unseen">
          {t("chart.keys")}
        </p>
        {loaded?.completeness && (
          <div class="band-box">
            <Band completeness={loaded.completeness} range={range} since={since} now={asOf.value} late={late} label={words} family={of.family} />
          </div>
        )}
        <Readout shown={shown} time={pointed} interval={of.interval} gaps={gaps} family={of.family} marks={panels.flatMap((p) => p.lines.flatMap((l) => l.marks))} />
        {loaded?.completeness && (
          <div class="legend completeness">
            <b>{words}</b>
            {watchedOf(loaded.completeness, range, since, asOf.value) && (
              <span>
                <i class="key complete" />
                {t("legend.complete")}
              </span>
            )}
            {late.length > 0 && (
              <span>
                <i class="key late" />
                {t("legend.late")}
              </span>
            )}
            {loaded.completeness.missing > 0 && (
              <span>
                <i class="key missing" />
                {t("legend.missing")}
              </span>
            )}
          </div>
        )}
        {loaded && !loaded.completeness && <p class="legend">{t("gone.completeness")}</p>}
        {table && <SeriesTable shown={shown} events={of.events.filter((e) => e.time >= range.from && e.time < range.to)} />}
      </section>
      <div class="two">
        <div>
          {loaded?.completeness && <Gaps of={of} completeness={loaded.completeness} onExplained={loading.again} />}
          <Unusual shown={shown} />
        </div>
        {shown.length > 0 && <FiguresPanel of={of} shown={shown} range={range} title={isNamed(view) ? t(figureKeys[view.name]) : t("figures.dates")} />}
      </div>
      {dates && <DatesDialog range={here()} onRange={(r) => change(clamped(r, serverNow()))} onClose={() => setDates(false)} />}
    </>
  );
}

function ChartFailure({ cause, again }: { cause: unknown; again: () => void }) {
  return (
    <p class="failure" role="alert">
      {failureWords(cause)}{" "}
      <button type="button" class="btn small" onClick={again}>
        {t("failure.again")}
      </button>
    </p>
  );
}

const figureKeys = { hour: "figures.hour", day: "figures.day", week: "figures.week", month: "figures.month", year: "figures.year", decade: "figures.decade" } as const;

/** Changes when a chart of the newest should be loaded again: a message came, the last load is old enough, and it can be had. */
function useFresh(view: View, heard: string | null): number {
  const [round, setRound] = useState(0);
  const last = useRef(0);
  const asks = readable.value;
  useEffect(() => {
    if (!isNamed(view) || !asks) return;
    const least = Math.max(freshFor, lengths[view.name] / 1_000);
    const due = Math.max(0, last.current + least - Date.now());
    if (last.current === 0) {
      last.current = Date.now();
      return;
    }
    const timer = setTimeout(() => {
      last.current = Date.now();
      setRound((n) => n + 1);
    }, due);
    return () => clearTimeout(timer);
  }, [heard, view, asks]);
  return round;
}

/** The channels that the address names, else the first that has not ended. */
function chosenChannels(search: URLSearchParams, channels: Channel[]): Channel[] {
  const ids = (search.get("channels") ?? "").split(",").map(Number);
  const named = channels.filter((c) => ids.includes(c.id)).slice(0, mostChannels);
  const [first] = channels.filter((c) => !c.ended).concat(channels);
  return named.length ? named : first ? [first] : [];
}

function Channels({ all, chosen }: { all: Channel[]; chosen: Channel[] }) {
  const toggle = (channel: Channel) => {
    const without = chosen.filter((c) => c.id !== channel.id);
    const after = without.length < chosen.length ? without : [...chosen, channel];
    if (after.length === 0 || after.length > mostChannels) return;
    const search = new URLSearchParams(query.value);
    search.set("channels", after.map((c) => c.id).join(","));
    go(`${path.value}?${search.toString().replaceAll("%2C", ",")}`, true);
  };
  return (
    <div class="channels" role="group" aria-label={t("chart.channels")}>
      {all.map((channel) => {
        const shade = chosen.findIndex((c) => c.id === channel.id);
        return (
          <button key={channel.id} type="button" class={`chip ${shade >= 0 ? `line-${(shade % shades) + 1}` : ""}`} aria-pressed={shade >= 0} onClick={() => toggle(channel)}>
            <i class="key" />
            {channelTitle(channel, all)}
            {channel.ended && <small> {t("chart.ended", { unit: visible(channel.unit) })}</small>}
          </button>
        );
      })}
    </div>
  );
}

/** The steps that the keys and the mouse also do, for fingers and for those who look for a button. */
function Steps({ view, onView }: { view: View; onView: (view: View) => void }) {
  const act = (change: (range: Range, now: number) => Range) => () => onView(change(rangeOf(view, serverNow()), serverNow()));
  return (
    <div class="steps" role="group" aria-label={t("chart.steps")}>
      <button type="button" class="btn" aria-label={t("chart.earlier")} title={t("chart.earlier")} onClick={act((r, now) => moved(r, -0.5, now))}>
        ‹
      </button>
      <SteadyButton class="btn" aria-label={t("chart.later")} title={t("chart.later")} off={isNamed(view)} onClick={act((r, now) => moved(r, 0.5, now))}>
        ›
      </SteadyButton>
      <button type="button" class="btn" aria-label={t("chart.closer")} title={t("chart.closer")} onClick={act((r, now) => zoomed(r, 0.5, now))}>
        +
      </button>
      <button type="button" class="btn" aria-label={t("chart.away")} title={t("chart.away")} onClick={act((r, now) => zoomed(r, 2, now))}>
        −
      </button>
    </div>
  );
}

function onKey(event: KeyboardEvent, range: Range, change: (view: View) => void): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const now = serverNow();
  const after = {
    ArrowLeft: () => moved(range, -0.25, now),
    ArrowRight: () => moved(range, 0.25, now),
    "+": () => zoomed(range, 0.5, now),
    "=": () => zoomed(range, 0.5, now),
    "-": () => zoomed(range, 2, now),
    End: (): View => ({ name: nameNear(range) }),
  }[event.key];
  if (!after) return;
  event.preventDefault();
  change(after());
}

/** The named range of about this length: where the newest is shown again. */
function nameNear(range: Range): RangeName {
  return rangeNames.find((n) => lengths[n] >= 0.9 * (range.to - range.from)) ?? "decade";
}

interface Panel {
  unit: string;
  lines: Line[];
}

/** From when on something was expected: since it was first heard of, or since the oldest sample or gap where older ones are known. */
function watchedSince(of: Subject, shown: Shown[], gaps: Range[]): number | null {
  // Where only the samples tell, the first of them ends the interval that it was expected in.
  const before = of.since === null ? 1000 * (of.interval ?? 0) : 0;
  const known = [...(of.since === null ? [] : [of.since]), ...shown.flatMap((s) => s.series.time.slice(0, 1).map((at) => at - before)), ...gaps.map((g) => g.from)];
  return known.length ? Math.min(...known) : null;
}

/** One plot for every unit, so that every value axis means one thing. */
function panelsOf(shown: Shown[], interval: number | null): Panel[] {
  const panels: Panel[] = [];
  for (const { channel, series, shade } of shown) {
    const marks = remarkable(series)
      .filter((i) => series.value[i] === null || isAlarm(parseQuality(series.quality?.[i] ?? "good")))
      .slice(-mostMarks)
      .map((i) => ({ time: series.time[i] ?? 0, value: series.value[i] ?? null, alarm: series.value[i] !== null }));
    const line: Line = { id: channel.id, series, interval, decimals: channel.decimals, shade, marks };
    const panel = panels.find((p) => p.unit === channel.unit);
    if (panel) panel.lines.push(line);
    else panels.push({ unit: channel.unit, lines: [line] });
  }
  return panels;
}

function chartLabel(shown: Shown[], range: Range): string {
  const names = shown.map((s) => channelTitle(s.channel, shown.map((x) => x.channel))).join(", ");
  return t("chart.label", { names, from: `${date(range.from)} ${clock(range.from)}`, to: near(range.to, range.from) });
}
