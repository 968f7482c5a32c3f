import { signal, type Signal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import type { DayCounts, DeviceDays } from "../api/proof";
import { byDay, dayName, gradeOf, isWeekend, missingPercent, stateOfDay, weekdayLetter, type DayState } from "../proof/days";
import { countsWords, dayWords } from "../proof/words";
import { percent as share } from "../words/format";
import { t, type Key } from "../words/messages";
import { visible } from "../words/text";
import { Heads, Table, type Column } from "./table";

interface Props {
  devices: DeviceDays[];
  /** The UTC days, the oldest first. */
  days: string[];
  /** The UTC day that has not ended, where it is among them. */
  today: string;
  label: string;
}

/** The address of a device's day. */
export function dayPath(device: number, day: string): string {
  return `/completeness/${device}/${day}`;
}

/** Columns of figures. */
function figures(...keys: Key[]): Column[] {
  return keys.map((key) => ({ name: t(key), class: "num" }));
}

/** The day under the pointer or the focus, in words. */
interface Pointed {
  name: string;
  words: string;
}

/**
 * A calendar of completeness: a row a device, a cell a UTC day. What a cell says it says by its shape and number too, not by its
 * colour alone. It is one stop of the key Tab; the arrow keys move in it, Enter opens a day.
 */
export function HeatMap({ devices, days, today, label }: Props) {
  const pointed = useMemo(() => signal<Pointed | null>(null), []);
  const box = useRef<HTMLDivElement>(null);
  // The newest day is the one that is looked for first.
  useEffect(() => {
    const newest = box.current?.querySelector<HTMLElement>(".daycol:nth-last-child(5)");
    if (box.current && newest) box.current.scrollLeft = newest.offsetLeft + newest.offsetWidth + 4 - box.current.clientWidth;
  }, [days]);
  const rows = useMemo(() => devices.map((d, i) => <Row key={d.device_id} device={d} days={days} today={today} first={i === 0} />), [devices, days, today]);
  const point = (target: EventTarget | null) => {
    const cell = target instanceof Element ? target.closest<HTMLElement>("a.day") : null;
    pointed.value = cell ? { name: cell.closest("tr")?.dataset["name"] ?? "", words: cell.querySelector(".unseen")?.textContent ?? "" } : null;
  };
  return (
    <>
      <Legend />
      <Pointing at={pointed} />
      <div class="scroll heat-box" ref={box}>
        <table
          class="heat"
          role="grid"
          aria-label={label}
          aria-describedby="heat-keys"
          onPointerOver={(event) => point(event.target)}
          onPointerLeave={() => point(null)}
          onFocusIn={(event) => point(event.target)}
          onKeyDown={onKey}
        >
          <thead>
            <tr>
              <th scope="col">{t("completeness.device")}</th>
              {days.map((day) => (
                <th key={day} scope="col" class={isWeekend(day) ? "daycol weekend" : "daycol"} {...(day === today ? { "data-today": true } : {})}>
                  <span class="unseen">{dayName(day)}</span>
                  <span aria-hidden="true">
                    <i>{weekdayLetter(day)}</i>
                    {t("count", { n: Number(day.slice(8)) })}
                  </span>
                </th>
              ))}
              <Heads of={figures("completeness.share", "completeness.received-column", "completeness.missing-column", "completeness.late-column")} />
            </tr>
          </thead>
          <tbody>{rows}</tbody>
        </table>
      </div>
      <p id="heat-keys" class="unseen">
        {t("completeness.keys")}
      </p>
    </>
  );
}

function Row({ device, days, today, first }: { device: DeviceDays; days: string[]; today: string; first: boolean }) {
  const counts = byDay(device);
  const name = visible(device.device);
  const received = Math.min(device.received, device.expected);
  return (
    <tr data-name={name}>
      <th scope="row">
        <a href={`/devices/${device.device_id}`} class="link">
          <bdi>{name}</bdi>
        </a>
        {device.place && device.place !== device.device && (
          <small class="cell soft">
            <bdi>{visible(device.place)}</bdi>
          </small>
        )}
      </th>
      {days.map((day, i) => (
        <Cell key={day} path={dayPath(device.device_id, day)} day={day} counts={counts.get(day)} stop={first && i === days.length - 1} unfinished={day === today} />
      ))}
      <td class="num share">{device.expected > 0 ? share(received, device.expected) : "–"}</td>
      <td class="num">
        {t("count", { n: device.received })}
        <small class="cell soft">{t("completeness.of-expected", { n: device.expected })}</small>
      </td>
      <td class="num">
        {t("count", { n: device.missing })}
        {device.uncertain > 0 && <small class="cell soft">{t("completeness.uncertain", { n: device.uncertain })}</small>}
      </td>
      <td class="num">{t("count", { n: device.late })}</td>
    </tr>
  );
}

function Cell({ path, day, counts, stop, unfinished }: { path: string; day: string; counts: DayCounts | undefined; stop: boolean; unfinished: boolean }) {
  const state = stateOfDay(counts);
  const words = dayWords(day, counts);
  const percent = state === "missing" && counts ? missingPercent(counts) : "";
  const tone = state === "missing" && counts ? `missing grade-${gradeOf(counts)} ${percent === "100" ? "all" : ""}` : state;
  return (
    <td class={unfinished ? "daycell today" : "daycell"}>
      <a href={path} class={`day ${tone} ${counts && counts.late > 0 && state === "missing" ? "partly-late" : ""}`} tabIndex={stop ? 0 : -1}>
        <span class="unseen">{words}</span>
        <i aria-hidden="true">{state === "uncertain" ? "?" : percent}</i>
      </a>
    </td>
  );
}

/** What stands under the pointer or the focus. */
function Pointing({ at }: { at: Signal<Pointed | null> }) {
  const pointed = at.value;
  return (
    <p class="pointing" aria-hidden="true">
      {pointed ? (
        <>
          <b>
            <bdi>{pointed.name}</bdi>
          </b>{" "}
          {pointed.words}
        </>
      ) : (
        <span class="soft">{t("completeness.point")}</span>
      )}
    </p>
  );
}

const legend: { tone: string; mark: string; key: Key }[] = [
  { tone: "complete", mark: "", key: "legend.complete" },
  { tone: "late", mark: "", key: "legend.late" },
  { tone: "missing grade-1", mark: "5", key: "legend.missing-percent" },
  { tone: "missing grade-2", mark: "20", key: "legend.missing-tenth" },
  { tone: "missing grade-3", mark: "80", key: "legend.missing-half" },
  { tone: "uncertain", mark: "?", key: "legend.uncertain" },
  { tone: "none", mark: "", key: "legend.none" },
];

function Legend() {
  return (
    <ul class="legend heat-legend">
      {legend.map(({ tone, mark, key }) => (
        <li key={tone}>
          <span class={`day ${tone}`} aria-hidden="true">
            <i>{mark}</i>
          </span>
          {t(key)}
        </li>
      ))}
    </ul>
  );
}

/** Moves the focus in the calendar: the cell that has it is the one that the key Tab comes to. */
function onKey(event: KeyboardEvent): void {
  if (event.ctrlKey || event.metaKey || event.altKey || !(event.target instanceof HTMLElement)) return;
  const from = event.target.closest<HTMLElement>("a.day");
  const row = from?.closest("tr");
  if (!from || !row) return;
  const inRow = [...row.querySelectorAll<HTMLElement>("a.day")];
  const column = inRow.indexOf(from);
  const above = (next: Element | null) => next?.querySelectorAll<HTMLElement>("a.day")[column];
  const all = row.parentElement;
  const moves: Record<string, () => HTMLElement | undefined> = {
    ArrowLeft: () => inRow[column - 1],
    ArrowRight: () => inRow[column + 1],
    ArrowUp: () => above(row.previousElementSibling),
    ArrowDown: () => above(row.nextElementSibling),
    Home: () => inRow[0],
    End: () => inRow.at(-1),
    PageUp: () => above(all?.firstElementChild ?? null),
    PageDown: () => above(all?.lastElementChild ?? null),
  };
  const to = moves[event.key]?.();
  if (!to) return;
  event.preventDefault();
  for (const stop of all?.querySelectorAll<HTMLElement>('a.day[tabindex="0"]') ?? []) stop.tabIndex = -1;
  to.tabIndex = 0;
  to.focus();
}

/** The same in figures: a row a device. */
export function DaysTable({ devices, label }: { devices: DeviceDays[]; label: string }) {
  return (
    <Table
      label={label}
      class="days-table"
      columns={[
        t("completeness.device"),
        ...figures("completeness.expected-column", "completeness.received-column", "completeness.missing-column", "completeness.uncertain-column", "completeness.late-column", "completeness.share"),
        t("completeness.days-lacking"),
      ]}
    >
      {devices.map((d) => (
        <tr key={d.device_id}>
          <th scope="row">
            <bdi>{visible(d.device)}</bdi>
          </th>
          <td class="num">{t("count", { n: d.expected })}</td>
          <td class="num">{t("count", { n: d.received })}</td>
          <td class="num">{t("count", { n: d.missing })}</td>
          <td class="num">{t("count", { n: d.uncertain })}</td>
          <td class="num">{t("count", { n: d.late })}</td>
          <td class="num">{d.expected > 0 ? share(Math.min(d.received, d.expected), d.expected) : "–"}</td>
          <td>
            <LackingDays device={d} />
          </td>
        </tr>
      ))}
    </Table>
  );
}

const worthNaming: ReadonlySet<DayState> = new Set(["missing", "uncertain"]);

/** The days on which something is missing or uncertain, with how much. */
function LackingDays({ device }: { device: DeviceDays }) {
  const lacking = device.days.filter((d) => worthNaming.has(stateOfDay(d)));
  if (lacking.length === 0) return <span class="soft">{t("completeness.no-day")}</span>;
  return (
    <ul class="lacking">
      {lacking.map((d) => (
        <li key={d.day}>
          <a class="link" href={dayPath(device.device_id, d.day)}>
            {dayName(d.day)}
          </a>
          {" "}
          {countsWords(d)}
        </li>
      ))}
    </ul>
  );
}
