import { useState } from "preact/hooks";
import { request } from "../api/client";
import type { Channel, Completeness } from "../api/types";
import { asOf } from "../fleet/fleet";
import { announce } from "../parts/announce";
import { failureWords } from "../parts/failure";
import { causeName, channelTitle } from "../words/device";
import { millis, near, quantity, span } from "../words/format";
import { t } from "../words/messages";
import { isRemarkable, parseQuality, qualityWords, isAlarm, isFault } from "../words/quality";
import { samplesPath } from "./load";
import type { Shown } from "./shown";
import type { Range } from "./range";
import { figures, remarkable } from "./series";

/** As many lines as a list on the page has; the file has all. */
const mostLines = 50;

/** Mean, lowest and highest of each channel over the range, and its samples as a file. */
export function FiguresPanel({ shown, range, title }: { shown: Shown[]; range: Range; title: string }) {
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
            <CSVButton channel={s.channel} name={name} range={range} />
          </div>
        );
      })}
    </section>
  );
}

/** Saves all samples of a channel over the range, as the server writes them. */
function CSVButton({ channel, name, range }: { channel: Channel; name: string; range: Range }) {
  const [said, setSaid] = useState("");
  const [busy, setBusy] = useState(false);
  const save = async () => {
    setBusy(true);
    setSaid("");
    try {
      const response = await request(samplesPath(channel.id, range), { accept: "text/csv", unhurried: true });
      const url = URL.createObjectURL(await response.blob());
      const link = document.createElement("a");
      link.href = url;
      link.download = `halley-channel-${channel.id}-${stamp(range.from)}-${stamp(range.to)}.csv`;
      link.click();
      // The browser needs the address until it has begun to save.
      setTimeout(() => URL.revokeObjectURL(url), 60_000);
      announce(t("figures.saved", { name }));
    } catch (cause) {
      setSaid(failureWords(cause));
    }
    setBusy(false);
  };
  return (
    <p class="act">
      <button type="button" class="btn small" disabled={busy} aria-label={t("figures.csv-of", { name })} onClick={() => void save()}>
        {t(busy ? "figures.saving" : "figures.csv")}
      </button>
      {said && (
        <span class="failure" role="alert">
          {said}
        </span>
      )}
    </p>
  );
}

/** An instant in a file's name: 20261121T1316Z */
function stamp(ms: number): string {
  return new Date(ms).toISOString().replace(/[-:]/g, "").slice(0, 13) + "Z";
}

/** What is missing, and why. */
export function Gaps({ completeness }: { completeness: Completeness }) {
  if (completeness.gaps.length === 0) return null;
  const newest = [...completeness.gaps].reverse().slice(0, mostLines);
  return (
    <section class="panel" aria-labelledby="gaps">
      <h2 id="gaps">
        {t("gaps.title")} <span>{t("gaps.count", { n: completeness.gaps.length })}</span>
      </h2>
      <div class="scroll" tabIndex={0} role="group" aria-label={t("gaps.title")}>
        <table>
          <thead>
            <tr>
              <th scope="col">{t("gaps.from")}</th>
              <th scope="col">{t("gaps.long")}</th>
              <th scope="col" class="num">
                {t("gaps.messages")}
              </th>
              <th scope="col">{t("gaps.cause")}</th>
            </tr>
          </thead>
          <tbody>
            {newest.map((gap) => {
              const from = millis(gap.from) ?? 0,
                to = millis(gap.to) ?? 0;
              return (
                <tr key={gap.from}>
                  <td>{near(from, asOf.value)}</td>
                  <td>{span((to - from) / 1000)}</td>
                  <td class="num">{t("count", { n: gap.messages })}</td>
                  <td>{causeName(gap.cause)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
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
      <div class="scroll" tabIndex={0} role="group" aria-label={t("unusual.title")}>
        <table>
          <thead>
            <tr>
              <th scope="col">{t("table.time")}</th>
              <th scope="col">{t("table.channel")}</th>
              <th scope="col" class="num">
                {t("figures.samples")}
              </th>
              <th scope="col">{t("table.quality")}</th>
            </tr>
          </thead>
          <tbody>
            {runs.slice(0, mostLines).map((run) => (
              <tr key={`${run.channel.id} ${run.from}`}>
                <td>{run.from === run.to ? near(run.from, asOf.value) : t("unusual.between", { from: near(run.from, asOf.value), to: near(run.to, run.from) })}</td>
                <td>{channelTitle(run.channel, channels)}</td>
                <td class="num">{t("count", { n: run.samples })}</td>
                <td class={toneOf(run.quality)}>{qualityWords(run.quality)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
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
