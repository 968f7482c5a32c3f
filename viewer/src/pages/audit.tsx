import { useEffect, useId, useRef, useState } from "preact/hooks";
import { ask } from "../api/client";
import type { AuditPage as Page, AuditRow } from "../api/proof";
import { asOf, returns } from "../fleet/fleet";
import { FailureNote } from "../parts/failure";
import { Heading } from "../parts/heading";
import { useLoading } from "../parts/loading";
import { usePages, type Cursor } from "../parts/paged";
import { Reviews } from "../parts/review";
import { stamp } from "../parts/save";
import { Saved, useSaving } from "../parts/saving";
import { SteadyButton } from "../parts/steadybutton";
import { Table } from "../parts/table";
import { nameNow, Thing } from "../parts/thing";
import { useTitle } from "../parts/title";
import { go, query } from "../router";
import { choice, chosen } from "../tree/tree";
import { actGroups, actName, actorKind, differences, type Difference } from "../words/audit";
import { instant, millis, zone } from "../words/format";
import { t } from "../words/messages";
import { visible } from "../words/text";
import { instantOf } from "../words/zone";

/** As many rows as are asked for at once. */
const atOnce = 100;

const names = ["q", "who", "what", "on", "from", "to"] as const;
type Filter = Record<(typeof names)[number], string>;

/** The filter that the address holds: dates are days of the zone that is shown, the last one included. */
function readFilter(search: URLSearchParams): Filter {
  return Object.fromEntries(names.map((name) => [name, search.get(name) ?? ""])) as Filter;
}

/** The question to the API that a filter makes. A file has no limit. */
function questionOf(filter: Filter, limit: number | null, before: Cursor): string {
  const search = new URLSearchParams();
  if (limit !== null) search.set("limit", String(limit));
  for (const name of ["q", "who", "what", "on"] as const) if (filter[name]) search.set(name, filter[name]);
  const from = dayStart(filter.from, 0),
    to = dayStart(filter.to, 1);
  if (from) search.set("from", from);
  if (to) search.set("to", to);
  if (before !== null) search.set("before", String(before));
  const { id, sub } = choice.value;
  if (chosen.value !== null) {
    search.set("organization_id", String(id));
    search.set("sub", String(sub));
  }
  return `/audit?${search}`;
}

/** The beginning of a day of the zone that is shown, or of one so many days later. */
function dayStart(day: string, later: number): string {
  const [year, month, number] = day.split("-").map(Number);
  if (!year || !month || !number) return "";
  const local = Date.UTC(year, month - 1, number + later);
  return Number.isFinite(local) ? new Date(instantOf(local, zone.value)).toISOString() : "";
}

/** Who changed what, when and why, newest first. */
export function AuditPage() {
  useTitle(t("nav.audit"));
  const filter = readFilter(query.value);
  // The newest entry of all is what a review goes up to, whatever is searched for.
  const newest = useLoading((signal) => ask<Page>("/audit?limit=1", { signal }), [returns.value]);
  return (
    <>
      <section class="verdict">
        <Heading>{t("nav.audit")}</Heading>
        <div class="facts">
          <span>{t("audit.what")}</span>
          <span>
            {t("facts.as-of")} <b>{instant(asOf.value)}</b>
          </span>
        </div>
      </section>
      <Reviews newest={newest.value?.entries[0]?.id ?? null} />
      <section class="panel audit" aria-label={t("nav.audit")}>
        <FilterForm key={JSON.stringify(filter)} filter={filter} />
        <Trail key={`trail ${questionOf(filter, atOnce, null)}`} filter={filter} />
      </section>
    </>
  );
}

const examples = { q: "audit.text-example", who: "audit.who-example", on: "audit.on-example" } as const;

function FilterForm({ filter }: { filter: Filter }) {
  const [draft, setDraft] = useState(filter);
  const id = useId();
  const set = (name: keyof Filter) => (event: { currentTarget: { value: string } }) => setDraft({ ...draft, [name]: event.currentTarget.value });
  const show = (of: Partial<Filter>) => {
    const search = new URLSearchParams();
    for (const name of names) if (of[name]?.trim()) search.set(name, of[name].trim());
    go(`/audit${search.size ? `?${search}` : ""}`);
  };
  const submit = (event: Event) => {
    event.preventDefault();
    show(draft);
  };
  const field = (name: keyof typeof examples | "from" | "to", label: string) => (
    <p class="field">
      <label for={`${id}-${name}`}>{label}</label>
      {name === "from" || name === "to" ? (
        <input id={`${id}-${name}`} type="date" value={draft[name]} onInput={set(name)} />
      ) : (
        <input id={`${id}-${name}`} type="text" value={draft[name]} autocomplete="off" placeholder={t(examples[name])} onInput={set(name)} />
      )}
    </p>
  );
  const isOffered = filter.what === "" || actGroups.some((group) => group.acts.includes(filter.what));
  const form = (
    <form class="filters" onSubmit={submit} role="search" aria-label={t("audit.filter")}>
      {field("q", t("audit.text"))}
      {field("who", t("audit.who"))}
      <p class="field">
        <label for={`${id}-what`}>{t("audit.act")}</label>
        <select id={`${id}-what`} value={draft.what} onChange={set("what")}>
          <option value="">{t("audit.every")}</option>
          {!isOffered && <option value={filter.what}>{actName(filter.what)}</option>}
          {actGroups.map((group) => (
            <optgroup key={group.title} label={t(group.title)}>
              {group.acts.map((act) => (
                <option key={act} value={act}>
                  {actName(act)}
                </option>
              ))}
            </optgroup>
          ))}
        </select>
      </p>
      {field("on", t("audit.on"))}
      {field("from", t("audit.from"))}
      {field("to", t("audit.to"))}
      <p class="act">
        <button type="submit" class="btn primary">
          {t("audit.show")}
        </button>
        {names.some((name) => filter[name]) && (
          <button type="button" class="btn" onClick={() => show({})}>
            {t("audit.clear")}
          </button>
        )}
      </p>
    </form>
  );
  // On a phone the rows come first.
  return matchMedia("(max-width: 560px)").matches ? (
    <details class="filter-box" open={names.some((name) => filter[name])}>
      <summary>{t("audit.filter")}</summary>
      {form}
    </details>
  ) : (
    form
  );
}

/** The rows that fit, a page after the other as they are scrolled to. */
function Trail({ filter }: { filter: Filter }) {
  const list = usePages((before, signal) => ask<Page>(questionOf(filter, atOnce, before), { signal }), [returns.value]);
  const { pages } = list;
  const rows = pages.flatMap((p) => p.entries);
  return (
    <>
      {list.failure !== undefined && <FailureNote cause={list.failure} again={list.again} away="gone.audit" />}
      {pages.length > 0 && rows.length === 0 && <p class="soft waiting">{t(list.hasMore ? "audit.none-yet" : "audit.none")}</p>}
      {rows.length > 0 && (
        <>
          <div class="top">
            <Files filter={filter} />
          </div>
          <Table label={t("nav.audit")} class="trail" columns={[t("results.when"), t("audit.who"), t("audit.act"), t("audit.on"), t("audit.changed"), t("audit.why")]}>
            {rows.map((row) => (
              <Row key={row.id} row={row} />
            ))}
          </Table>
        </>
      )}
      {list.hasMore && list.failure === undefined && <More busy={list.busy} onMore={list.more} />}
    </>
  );
}

/** Loads further rows when it comes into sight, or on request. */
function More({ busy, onMore }: { busy: boolean; onMore: () => void }) {
  const place = useRef<HTMLParagraphElement>(null);
  const act = useRef(onMore);
  act.current = onMore;
  useEffect(() => {
    if (busy || !place.current) return;
    const watch = new IntersectionObserver((seen) => {
      if (seen.some((s) => s.isIntersecting)) act.current();
    });
    watch.observe(place.current);
    return () => watch.disconnect();
  }, [busy]);
  return (
    <p class="pager" ref={place}>
      <SteadyButton class="btn" off={busy} onClick={onMore}>
        {t("audit.more")}
      </SteadyButton>
    </p>
  );
}

function Row({ row }: { row: AuditRow }) {
  const at = millis(row.at);
  return (
    <tr>
      <td data-label={t("results.when")}>{at === null ? visible(row.at) : instant(at)}</td>
      <td data-label={t("audit.who")}>
        <bdi>{visible(row.who)}</bdi>
        {actorKind(row.kind) && <small class="cell soft">{actorKind(row.kind)}</small>}
      </td>
      <td data-label={t("audit.act")} title={visible(row.what)}>
        {actName(row.what)}
      </td>
      <td data-label={t("audit.on")}>
        <Thing on={row.on} />
      </td>
      <td data-label={t("audit.changed")} class={row.old || row.new ? "" : "void"}>
        <Differences of={differences(row.old, row.new, nameNow)} />
      </td>
      <td data-label={t("audit.why")} class={row.why ? "" : "void"}>
        <bdi>{visible(row.why)}</bdi>
      </td>
    </tr>
  );
}

function Differences({ of }: { of: Difference[] }) {
  if (of.length === 0) return null;
  return (
    <ul class="differences">
      {of.map((d) => (
        <li key={d.name}>
          {d.name && <span class="soft">{d.name} </span>}
          {d.old && <del>{d.old}</del>}
          {d.old && d.new && (
            <>
              {" "}
              <span aria-hidden="true">→</span>
              <span class="unseen">{t("audit.became")}</span>{" "}
            </>
          )}
          {d.new && <ins>{d.new}</ins>}
          {d.old && !d.new && <span class="soft"> {t("audit.gone")}</span>}
        </li>
      ))}
    </ul>
  );
}

/** Saves all rows that fit as CSV, or prints what is shown. */
function Files({ filter }: { filter: Filter }) {
  const saving = useSaving();
  return (
    <p class="act files">
      <SteadyButton class="btn small" off={saving.busy} onClick={() => saving.begin(questionOf(filter, null, null), "text/csv", `halley-audit-${stamp(asOf.peek())}.csv`)}>
        {t("audit.csv")}
      </SteadyButton>
      <button type="button" class="btn small" onClick={() => print()}>
        {t("audit.print")}
      </button>
      <Saved of={saving} />
    </p>
  );
}
