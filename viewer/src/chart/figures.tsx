import type { Channel, Completeness } from "../api/types";
import { asOf } from "../fleet/fleet";
import { GapTable } from "../parts/gaps";
import { stamp } from "../parts/save";
import { Saved, useSaving } from "../parts/saving";
import { SteadyButton } from "../parts/steadybutton";
import { Table } from "../parts/table";
import { channelTitle } from "../words/device";
import { near, quantity } from "../words/format";
import { t } from "../words/messages";
import { isRemarkable, parseQuality, qualityWords, isAlarm, isFault } from "../words/quality";
import type { Shown } from "./shown";
import type { Range } from "./range";
import { figures, remarkable } from "./series";
import { samplesOf, type Subject } from "./subject";

/** As many lines as a list on the page has; the file has all. */
const mostLines = 50;

/** Mean, lowest and highest of each channel over the range, and its samples as a file. */
export function FiguresPanel({ of, shown, range, title }: { of: Subject; shown: Shown[]; range: Range; title: string }) {
  const channels = shown.map((s) => s.channel);
  return (
    <section class="panel" aria-labelledby="figures">
      <h2 id="figures">{title}</h2>
      {shown.map((s) => {
        const f = figures(s.series);
        const { decimals, unit } = s.channel;
        const name = channelTitle(s.channel, channels);
        return (
          <div key={s.channel.id} class="figures">
            {shown.length > 1 && <h3>{name}</h3>}
            <dl class="rows">
              <div>
                <dt>{t("figures.mean")}</dt>
                <dd>{f.mean === null ? "–" : quantity(f.mean, decimals, unit)}</dd>
              </div>
              <div>
                <dt>{t("figures.extremes")}</dt>
                <dd>{f.low === null || f.high === null ? "–" : t("figures.pair", { low: quantity(f.low, decimals, ""), high: quantity(f.high, decimals, unit) })}</dd>
              </div>
              <div>
                <dt>{t("figures.samples")}</dt>
                <dd>{t("count", { n: f.samples })}</dd>
              </div>
            </dl>
            <CSVButton of={of} channel={s.channel} name={name} range={range} />
          </div>
        );
      })}
    </section>
  );
}

/** Saves all samples of a channel over the range, as the server writes them. */
function CSVButton({ of, channel, name, range }: { of: Subject; channel: Channel; name: string; range: Range }) {
  const saving = useSaving();
  const file = `halley-${of.file(channel.id)}-${stamp(range.from)}-${stamp(range.to)}.csv`;
  return (
    <p class="act">
      <SteadyButton class="btn small" off={saving.busy} aria-label={t("figures.csv-of", { name })} onClick={() => saving.begin(samplesOf(of, channel.id, range), "text/csv", file)}>
        {t("figures.csv")}
      </SteadyButton>
      <Saved of={saving} />
    </p>
  );
}

/** What is missing, and why, newest first. */
export function Gaps({ of, completeness, onExplained }: { of: Subject; completeness: Completeness; onExplained: () => void }) {
  if (completeness.gaps.length === 0) return null;
  const newest = [...completeness.gaps].reverse().slice(0, mostLines);
  return (
    <section class="panel" aria-labelledby="gaps">
      <h2 id="gaps">
        {t("gaps.title")} <span>{t("gaps.count", { n: completeness.gaps.length })}</span>
      </h2>
      <GapTable deviceOf={of.deviceOf} family={of.family} gaps={newest} label={t("gaps.title")} onExplained={onExplained} />
      {completeness.gaps.length > mostLines && <p class="soft">{t("gaps.newest", { n: mostLines })}</p>}
    </section>
  );
}

/** The samples that are not simply good, newest first; those of each channel that say the same one after the other are one line. */
export function Unusual({ shown }: { shown: Shown[] }) {
  const runs = shown.flatMap((s) => runsOf(s)).sort((a, b) => b.to - a.to);
  if (shown.some((s) => s.series.width > 0)) return <p class="note">{t("unusual.buckets")}</p>;
  if (runs.length === 0) return null;
  const channels = shown.map((s) => s.channel);
  return (
    <section class="panel" aria-labelledby="unusual">
      <h2 id="unusual">
        {t("unusual.title")} <span>{t("unusual.count", { n: runs.reduce((sum, r) => sum + r.samples, 0) })}</span>
      </h2>
      <Table label={t("unusual.title")} columns={[t("table.time"), t("table.channel"), { name: t("figures.samples"), class: "num" }, t("table.quality")]}>
        {runs.slice(0, mostLines).map((run) => (
          <tr key={`${run.channel.id} ${run.from}`}>
            <td>{run.from === run.to ? near(run.from, asOf.value) : t("unusual.between", { from: near(run.from, asOf.value), to: near(run.to, run.from) })}</td>
            <td>{channelTitle(run.channel, channels)}</td>
            <td class="num">{t("count", { n: run.samples })}</td>
            <td class={toneOf(run.quality)}>{qualityWords(run.quality)}</td>
          </tr>
        ))}
      </Table>
    </section>
  );
}

function toneOf(text: string): string {
  const quality = parseQuality(text);
  return isAlarm(quality) ? "alarm" : isFault(quality) ? "fault" : "";
}

interface Run {
  channel: Channel;
  quality: string;
  from: number;
  to: number;
  samples: number;
}

function runsOf({ channel, series }: Shown): Run[] {
  const runs: Run[] = [];
  let before = -2;
  for (const i of remarkable(series)) {
    const quality = series.quality?.[i] ?? "";
    const time = series.time[i] ?? 0;
    const last = runs.at(-1);
    if (last && before === i - 1 && last.quality === quality && isRemarkable(quality)) {
      last.to = time;
      last.samples++;
    } else runs.push({ channel, quality, from: time, to: time, samples: 1 });
    before = i;
  }
  return runs;
}
