import { useSignal } from "@preact/signals";
import { useId, useMemo, useState } from "preact/hooks";
import { ask } from "../api/client";
import type { DeviceDays, FleetCompleteness } from "../api/proof";
import { asOf, returns, serverNow } from "../fleet/fleet";
import { places } from "../fleet/places";
import { FailureNote } from "../parts/failure";
import { Heading } from "../parts/heading";
import { DaysTable, HeatMap } from "../parts/heatmap";
import { useLoading } from "../parts/loading";
import { Saved, useSaving } from "../parts/saving";
import { SteadyButton } from "../parts/steadybutton";
import { useTitle } from "../parts/title";
import { dayOf, daysOf, daysWords, fleetFigures, listOf, matching, monthAfter, monthName, monthOf, readPeriod, type Days, type Period } from "../proof/days";
import { isAccepted } from "../proof/load";
import { fleetWords } from "../proof/words";
import { go, query } from "../router";
import { chosen, isChosen } from "../tree/tree";
import { instant, percent } from "../words/format";
import { t } from "../words/messages";
import { devicesWords, missingAnswer } from "../proof/answers";

/** As many rows as are put into the page at once: a fleet of a thousand has ten pages. */
const rowsAtOnce = 100;
/** As many months as are offered by name; the steps go on beyond them. */
const monthsOffered = 36;

/** How complete every device is, day by day, the worst first. */
export function CompletenessPage() {
  useTitle(t("nav.completeness"));
  const wanted = useSignal("");
  const [table, setTable] = useState(false);
  const period = readPeriod(query.value, serverNow());
  const key = period === "recent" ? period : period.month;
  const today = dayOf(serverNow());
  const days = useMemo(() => daysOf(period, serverNow()), [key, today]);
  const loading = useLoading((signal) => ask<FleetCompleteness>(`/completeness?from=${days.from}&to=${days.to}`, { signal, unhurried: true }), [days.from, days.to, returns.value]);
  // What was loaded before stays in sight until the new has come, under its own dates.
  const loaded = useMemo(() => loading.value && narrowed(loading.value), [loading.value, chosen.value, places.value]);
  const shown: Days = loaded ?? days;
  const found = useMemo(() => (loaded ? matching(loaded, wanted.value) : []), [loaded, wanted.value]);
  const figures = useMemo(() => fleetFigures(loaded?.devices ?? [], loaded ?? days, isAccepted), [loaded]);
  const answer = missingAnswer(figures);
  return (
    <>
      <section class="verdict">
        <Heading>{loaded ? answer.text : t("nav.completeness")}</Heading>
        <div class="facts">
          <span>
            <b>{daysWords(shown)}</b>, {t("days.utc")}
          </span>
          {loaded && figures.expected > 0 && (
            <span>
              {fleetWords(figures)} · <b>{percent(Math.min(figures.received, figures.expected), figures.expected)}</b>
            </span>
          )}
          <span>
            {t("facts.as-of")} <b>{instant(asOf.value)}</b>
          </span>
        </div>
      </section>
      {loading.failure !== undefined && <FailureNote cause={loading.failure} again={loading.again} away="gone.completeness-page" />}
      <section class="panel" aria-label={t("nav.completeness")} aria-busy={loading.busy}>
        <div class="top">
          <PeriodPicker period={period} />
          <Search value={wanted.value} onValue={(v) => (wanted.value = v)} />
          <button type="button" class="btn" aria-pressed={table} onClick={() => setTable(!table)}>
            {t("chart.table")}
          </button>
          <CSVButton days={shown} />
        </div>
        {loading.busy && !loaded && <p class="soft waiting">{t("completeness.counting")}</p>}
        {loaded && <Rows key={wanted.value} devices={found} days={shown} today={today} table={table} busy={loading.busy} />}
        {loaded && found.length === 0 && <p class="soft waiting">{t(loaded.devices.length ? "overview.none-found" : "proof.missing.no-device")}</p>}
        {loaded && wanted.value && found.length > 0 && <p class="soft">{devicesWords(found.length, loaded.devices.length)}</p>}
      </section>
    </>
  );
}

/** The devices at places of the chosen organizations. */
function narrowed(all: FleetCompleteness): FleetCompleteness {
  const organization = (place: number | null) => (place === null ? undefined : places.value.get(place)?.organization_id);
  return chosen.value === null
    ? all
    : {
        ...all,
        devices: all.devices.filter((d) => {
          const id = organization(d.place_id);
          return id !== undefined && isChosen(id);
        }),
      };
}

/** A page of the rows, as a calendar or in figures. */
function Rows({ devices, days, today, table, busy }: { devices: DeviceDays[]; days: Days; today: string; table: boolean; busy: boolean }) {
  const [page, setPage] = useState(0);
  const pages = Math.max(1, Math.ceil(devices.length / rowsAtOnce));
  const at = Math.min(page, pages - 1);
  const list = useMemo(() => listOf(days), [days.from, days.to]);
  const rows = useMemo(() => devices.slice(at * rowsAtOnce, (at + 1) * rowsAtOnce), [devices, at]);
  if (rows.length === 0) return null;
  const label = t("completeness.table-label", { days: daysWords(days) });
  return (
    <div class={busy ? "busy" : ""}>
      <HeatMap devices={rows} days={list} today={today} label={label} />
      {table && <DaysTable devices={rows} label={t("completeness.figures-label", { days: daysWords(days) })} />}
      {pages > 1 && (
        <p class="pager">
          <SteadyButton class="btn" off={at === 0} onClick={() => setPage(at - 1)}>
            {t("completeness.page-before")}
          </SteadyButton>
          <span class="soft" role="status">
            {t("completeness.page", { from: at * rowsAtOnce + 1, to: at * rowsAtOnce + rows.length, n: devices.length })}
          </span>
          <SteadyButton class="btn" off={at === pages - 1} onClick={() => setPage(at + 1)}>
            {t("completeness.page-after")}
          </SteadyButton>
        </p>
      )}
    </div>
  );
}

/** The last thirty days, or a month; a step back from the last thirty days is the month that has ended. */
function PeriodPicker({ period }: { period: Period }) {
  const id = useId();
  const current = monthOf(serverNow());
  const month = period === "recent" ? null : period.month;
  const offered = Array.from({ length: monthsOffered }, (_, i) => monthAfter(current, -i));
  const months = month && !offered.includes(month) ? [...offered, month] : offered;
  const show = (to: string | null) => go(to === null ? "/completeness" : `/completeness?month=${to}`, true);
  const step = (by: number) => {
    const to = month === null ? monthAfter(current, by < 0 ? -1 : 0) : monthAfter(month, by);
    if (to <= current) show(to);
  };
  return (
    <div class="period" role="group" aria-label={t("range.label")}>
      <button type="button" class="btn" aria-label={t("days.month-before")} title={t("days.month-before")} onClick={() => step(-1)}>
        ‹
      </button>
      <label class="unseen" for={id}>
        {t("range.label")}
      </label>
      <select id={id} value={month ?? ""} onChange={(event) => show(event.currentTarget.value || null)}>
        <option value="">{t("days.recent")}</option>
        {months.map((m) => (
          <option key={m} value={m}>
            {monthName(m)}
          </option>
        ))}
      </select>
      <SteadyButton class="btn" aria-label={t("days.month-after")} title={t("days.month-after")} off={month === null || month >= current} onClick={() => step(1)}>
        ›
      </SteadyButton>
    </div>
  );
}

/** Saves the figures of every device and day. */
function CSVButton({ days: { from, to } }: { days: Days }) {
  const saving = useSaving();
  return (
    <>
      <SteadyButton class="btn" off={saving.busy} onClick={() => saving.begin(`/completeness?from=${from}&to=${to}`, "text/csv", `halley-completeness-${from}-${to}.csv`)}>
        {t("completeness.csv")}
      </SteadyButton>
      <Saved of={saving} />
    </>
  );
}

function Search({ value, onValue }: { value: string; onValue: (value: string) => void }) {
  const id = useId();
  return (
    <p class="filter">
      <label class="unseen" for={id}>
        {t("completeness.filter")}
      </label>
      <input id={id} type="search" placeholder={t("completeness.filter")} value={value} autocomplete="off" onInput={(event) => onValue(event.currentTarget.value)} />
    </p>
  );
}
