import { ask } from "../api/client";
import type { GapCause } from "../api/proof";
import type { Completeness, Device } from "../api/types";
import { Band } from "../chart/band";
import { completenessWords } from "../chart/completeness";
import { loadCompleteness } from "../chart/load";
import { asOf, may, returns, serverNow } from "../fleet/fleet";
import { FailureNote } from "../parts/failure";
import { GapTable } from "../parts/gaps";
import { Heading } from "../parts/heading";
import { dayPath } from "../parts/heatmap";
import { useLoading } from "../parts/loading";
import { Facts } from "../parts/facts";
import { useTitle } from "../parts/title";
import { dayAfter, dayLength, dayName, dayOf, monthOf, startOf } from "../proof/days";
import { causeName, deviceName } from "../words/device";
import { instant, millis, near, percent } from "../words/format";
import { t } from "../words/messages";
import { visible } from "../words/text";

/** A device on one UTC day: what came, what is missing and why, and who said so. */
export function CompletenessDayPage({ id, day }: { id: number; day: string }) {
  const from = startOf(day);
  const found = useLoading((signal) => ask<Device>(`/devices/${id}`, { signal }), [id]);
  const device = found.value;
  const name = device ? deviceName(device) : t("device.title");
  useTitle(t("days.title", { name, day: dayName(day) }));
  if (from === null) return <Heading>{t("lost.title")}</Heading>;
  const to = from + dayLength;
  const chart = `/devices/${id}?from=${encodeURIComponent(new Date(from).toISOString())}&to=${encodeURIComponent(new Date(to).toISOString())}`;
  const month = day.slice(0, 7);
  return (
    <>
      <p class="crumb">
        <a href={month === monthOf(serverNow()) ? "/completeness" : `/completeness?month=${month}`}>{t("nav.completeness")}</a> ›{" "}
        <a href={`/devices/${id}`}>
          <bdi>{name}</bdi>
        </a>
      </p>
      <section class="verdict">
        <Heading>
          <bdi>{name}</bdi>, {dayName(day)}
        </Heading>
        <span class="buttons steps">
          <a class="btn" href={dayPath(id, dayAfter(day, -1))} aria-label={t("days.before")} title={t("days.before")}>
            ‹
          </a>
          {dayAfter(day) <= dayOf(serverNow()) && (
            <a class="btn" href={dayPath(id, dayAfter(day))} aria-label={t("days.after")} title={t("days.after")}>
              ›
            </a>
          )}
          <a class="btn" href={chart}>
            {t("days.chart")}
          </a>
        </span>
        <div class="facts">
          <span>{t("days.span", { from: instant(from, false), to: instant(to, false) })}</span>
          {to > asOf.value && <span>{t("days.not-over")}</span>}
        </div>
      </section>
      {found.failure !== undefined && <FailureNote cause={found.failure} again={found.again} away="gone.completeness-page" />}
      {device && <Day device={device} from={from} to={to} />}
    </>
  );
}

function Day({ device, from, to }: { device: Device; from: number; to: number }) {
  const counted = useLoading((signal) => loadCompleteness(`/devices/${device.id}`, { from, to }, signal), [device.id, from, returns.value]);
  const c = counted.value;
  return (
    <>
      {counted.failure !== undefined && <FailureNote cause={counted.failure} again={counted.again} away="gone.completeness-page" />}
      {c && <Counted device={device} completeness={c} from={from} to={to} onExplained={counted.again} />}
      <Marks id={device.id} from={from} to={to} of={c} />
    </>
  );
}

function Counted({ device, completeness, from, to, onExplained }: { device: Device; completeness: Completeness; from: number; to: number; onExplained: () => void }) {
  const { expected, received, late, gaps } = completeness;
  const heard = millis(device.first_seen_at);
  // What came from before the device was first heard of was handed over later: it counts from the day's beginning.
  const since = heard !== null && heard >= to && received > 0 ? from : heard;
  const words = completenessWords(completeness);
  const title = t("gaps.title");
  return (
    <>
      <section class="panel" aria-labelledby="day-figures">
        <h2 id="day-figures">{words}</h2>
        <Band completeness={completeness} range={{ from, to }} since={since} now={asOf.value} late={late > 0 && late >= received ? [{ from, to }] : []} label={words} family={device.family} />
        <div class="two even facts-pair plain">
          <Facts
            rows={[
              [t("completeness.expected-column"), expected === null ? "–" : t("count", { n: expected })],
              [t("completeness.received-column"), t("count", { n: received })],
              [t("completeness.missing-column"), t("count", { n: completeness.missing })],
              [t("completeness.share"), expected === null || expected <= 0 ? "–" : percent(Math.min(received, expected), expected)],
            ]}
          />
          <Facts
            rows={[
              [t("completeness.late-column"), t("count", { n: completeness.late })],
              [t("completeness.uncertain-column"), t("count", { n: completeness.uncertain })],
              [t("completeness.duplicates-column"), t("count", { n: completeness.duplicates })],
              [t("completeness.extra-column"), t("count", { n: completeness.extra })],
            ]}
          />
        </div>
      </section>
      <section class="panel" aria-labelledby="gaps">
        <h2 id="gaps">
          {title} {gaps.length > 0 && <span>{t("gaps.count", { n: gaps.length })}</span>}
        </h2>
        {gaps.length === 0 ? (
          <p class="soft">{t("gaps.none")}</p>
        ) : (
          <GapTable deviceOf={() => ({ id: device.id, name: deviceName(device), family: device.family })} family={device.family} gaps={gaps} label={title} onExplained={onExplained} />
        )}
      </section>
    </>
  );
}

/** All that people have said about the day: a later word counts over an earlier one, and both stay. */
function Marks({ id, from, to, of }: { id: number; from: number; to: number; of: Completeness | undefined }) {
  const period = new URLSearchParams({ from: new Date(from).toISOString(), to: new Date(to).toISOString() });
  const list = useLoading((signal) => ask<{ gap_causes: GapCause[] }>(`/devices/${id}/gap-causes?${period}`, { signal }), [id, from, of]);
  const marks = list.value?.gap_causes ?? [];
  if (!may("sample.read") || marks.length === 0) return null;
  return (
    <section class="panel" aria-labelledby="marks">
      <h2 id="marks">{t("marks.title")}</h2>
      <p class="soft">{t("marks.what")}</p>
      <ul class="plain marks">
        {[...marks].reverse().map((m) => {
          const at = millis(m.at),
            a = millis(m.from) ?? 0,
            b = millis(m.to) ?? 0;
          return (
            <li key={m.id}>
              <b>{causeName(m.cause)}</b>, {t("unusual.between", { from: near(a, asOf.value), to: near(b, a) })}
              {m.note && <> · {t("gaps.note", { note: visible(m.note) })}</>}
              <small class="cell soft">{at === null ? t("gaps.by", { by: visible(m.by) }) : t("gaps.by-at", { by: visible(m.by), at: near(at, asOf.value) })}</small>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
