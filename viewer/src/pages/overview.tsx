import { useComputed, useSignal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { inTurn } from "../api/client";
import type { LeanPlace } from "../api/tree";
import { loadCompleteness } from "../chart/load";
import { asOf, devices, hearing, loaded, may, returns, serverNow, status, trouble } from "../fleet/fleet";
import { chosenPlaces, places, placesLoaded, placesTrouble, surveyedPlaces, unplaced } from "../fleet/places";
import type { PlaceState } from "../fleet/placestate";
import { deviceWords, placeWords } from "../fleet/searched";
import { elsewhere } from "../fleet/state";
import { readable } from "../fleet/store";
import { useAnnounced } from "../parts/announce";
import { FailureNote } from "../parts/failure";
import { Filter } from "../parts/filter";
import { Heading } from "../parts/heading";
import { Messages } from "../parts/messages";
import { Pager, pageWithin } from "../parts/pager";
import { ProofLine } from "../parts/proofline";
import { Tile } from "../parts/tile";
import { useTitle } from "../parts/title";
import { folded } from "../tree/nodes";
import { choice, chosen, ways } from "../tree/tree";
import { placeName, stateName } from "../words/device";
import { instant, percent, zone } from "../words/format";
import { joined, t } from "../words/messages";
import { dayBegin } from "../words/zone";

/** As many tiles as are put into the page at once: of places that need a person, and of the others. */
const gravestAtOnce = 60,
  othersAtOnce = 120;

/** One line that says whether all is well, then a tile for every place, those that need a person first. */
export function OverviewPage() {
  useTitle(t("nav.overview"));
  const search = useSignal("");
  const wanted = useComputed(() => folded(search.value.trim()));
  if (!may("place.read"))
    return (
      <>
        <section class="verdict">
          <Heading>{t("nav.overview")}</Heading>
        </section>
        <p class="note">{t("place.none-to-see")}</p>
        <Messages of={status.value} />
      </>
    );
  if (!loaded.value || !placesLoaded.value) {
    const cause = trouble.value ?? placesTrouble.value;
    return cause ? (
      <>
        <Heading>{t("nav.overview")}</Heading>
        <FailureNote cause={cause} />
      </>
    ) : (
      <section class="verdict">
        <Heading>{t("overview.loading")}</Heading>
      </section>
    );
  }
  const { attention, others } = surveyedPlaces.value;
  const total = chosenPlaces.value.length;
  const gravest = fitting(attention, wanted.value),
    shown = fitting(others, wanted.value);
  const scope = `${choice.value.id} ${choice.value.sub} ${wanted.value}`;
  return (
    <>
      <Verdict />
      <ProofLine />
      <Messages of={status.value} />
      {gravest.length > 0 && (
        <section aria-labelledby="attention">
          <h2 id="attention">
            {t("overview.attention")} <span>{t("overview.places", { n: attention.length })}</span>
          </h2>
          <Gravest key={`attention ${scope}`} places={gravest} />
        </section>
      )}
      {total > 0 && (
        <section aria-labelledby="all">
          <div class="heading">
            <h2 id="all">
              {t(attention.length ? "overview.others" : "overview.all")} <span>{t(attention.length ? "overview.of-places" : "overview.places", { n: attention.length ? others.length : total, all: total })}</span>
            </h2>
            <Filter label={t("place.find")} value={search.value} onValue={(v) => (search.value = v)} />
          </div>
          {wanted.value && shown.length === 0 && <p class="soft">{t("place.none-found")}</p>}
          <Groups key={`others ${scope}`} places={shown} />
        </section>
      )}
    </>
  );
}

/** The places of these ids whose name, organization or device fits. */
function fitting(ids: number[], wanted: string): LeanPlace[] {
  return ids.flatMap((id) => {
    const place = places.value.get(id);
    return place && (!wanted || matches(place, wanted)) ? [place] : [];
  });
}

/** What a device is found by does not change with its values, so it is looked at without following them. */
function matches(place: LeanPlace, wanted: string): boolean {
  return placeWords(place).includes(wanted) || place.device_ids.some((id) => {
    const device = devices.value.get(id);
    return device !== undefined && deviceWords(device).includes(wanted);
  });
}

function Gravest({ places: of }: { places: LeanPlace[] }) {
  const [wanted, setPage] = useState(0);
  const page = pageWithin(wanted, of.length, gravestAtOnce);
  return (
    <>
      <Tiles places={of.slice(page * gravestAtOnce, (page + 1) * gravestAtOnce)} />
      <Pager label={t("overview.attention")} page={page} size={gravestAtOnce} all={of.length} onPage={setPage} />
    </>
  );
}

/** The places by organization, the headings only where there is more than one. */
function Groups({ places: of }: { places: LeanPlace[] }) {
  const [wanted, setPage] = useState(0);
  const page = pageWithin(wanted, of.length, othersAtOnce);
  const groups = new Map<number, LeanPlace[]>();
  for (const place of of) {
    const known = groups.get(place.organization_id);
    if (known) known.push(place);
    else groups.set(place.organization_id, [place]);
  }
  const ordered = [...groups]
    .map(([id, all]) => ({ id, way: ways.value.get(id)?.way ?? "", rank: ways.value.get(id)?.rank ?? -1, all }))
    .sort((a, b) => a.rank - b.rank);
  const shown: { id: number; way: string; all: number; places: LeanPlace[] }[] = [];
  let skip = page * othersAtOnce,
    room = othersAtOnce;
  for (const { id, way, all } of ordered) {
    const part = all.slice(skip, skip + room);
    skip = Math.max(0, skip - all.length);
    room -= part.length;
    if (part.length) shown.push({ id, way, all: all.length, places: part });
    if (room === 0) break;
  }
  return (
    <>
      {ordered.length <= 1
        ? shown.map((g) => <Tiles key={g.id} places={g.places} />)
        : shown.map((g) => (
            <section key={g.id} class="group" aria-labelledby={`group-${g.id}`}>
              <h3 id={`group-${g.id}`}>
                <bdi>{g.way}</bdi> <span>{t("overview.places", { n: g.all })}</span>
              </h3>
              <Tiles places={g.places} />
            </section>
          ))}
      <Pager label={t("place.pages")} page={page} size={othersAtOnce} all={of.length} onPage={setPage} />
    </>
  );
}

function Tiles({ places: of }: { places: LeanPlace[] }) {
  return (
    <div class="grid">
      {of.map((place) => (
        <Tile key={place.id} place={place} />
      ))}
    </div>
  );
}

const verdicts: readonly { state: PlaceState; key: "verdict.reporting" | "verdict.alarm" | "verdict.fault" | "verdict.silent" | "verdict.unheard" | "verdict.vacant" }[] = [
  { state: "reporting", key: "verdict.reporting" },
  { state: "alarm", key: "verdict.alarm" },
  { state: "fault", key: "verdict.fault" },
  { state: "silent", key: "verdict.silent" },
  { state: "unheard", key: "verdict.unheard" },
  { state: "vacant", key: "verdict.vacant" },
];

function Verdict() {
  const { census } = surveyedPlaces.value;
  const total = chosenPlaces.value.length;
  const live = hearing.value === "live" || hearing.value === "joining";
  const parts = verdicts.map(({ state, key }) => ({ state, n: census[state], text: t(key, { n: census[state] }) })).filter((p) => p.n > 0);
  const waiting = status.value?.devices.new ?? 0;
  const rest = status.value ? elsewhere(status.value.devices) : [];
  const none = t(places.value.size ? "verdict.none-here" : !may("device.decide") ? "verdict.none-seen" : devices.value.size ? "verdict.no-place" : "verdict.none");
  useAnnounced(total ? [...parts.map((p) => p.text), t("verdict.no-limits")].join(", ") : none);
  return (
    <section class="verdict">
      <Heading>
        {total === 0
          ? none
          : parts.map((p, i) => (
              <span key={p.state}>
                {i > 0 && ", "}
                {p.state === "reporting" ? p.text : <b class={p.state}>{p.text}</b>}
              </span>
            ))}
        {total > 0 && <span class="faint">, {t("verdict.no-limits")}</span>}
      </Heading>
      <div class="facts">
        {waiting > 0 && (
          <a class="btn primary" href="/new">
            {t("overview.waiting", { n: waiting })}
          </a>
        )}
        <span>
          {t(live ? "facts.as-of" : "facts.not-live")} <b>{instant(asOf.value)}</b>
        </span>
        <ReceivedToday />
        {chosen.value === null && unplaced.value.length > 0 && (
          <a class="link" href="/devices?place=none">
            {t("facts.unplaced", { n: unplaced.value.length })}
          </a>
        )}
        {rest.length > 0 && (
          <a class="link" href="/devices">
            {joined(rest.map((r) => t("facts.state", { n: r.n, state: stateName(r.state).toLowerCase() })))}
          </a>
        )}
        {total === 0 && waiting === 0 && devices.value.size === 0 && may("device.decide") && (
          <a class="link" href="/new">
            {t("facts.how-to-begin")}
          </a>
        )}
      </div>
    </section>
  );
}

/** The completeness of more places than this is not asked for one by one. */
const mostAsked = 60;
const askedEvery = 10 * 60_000;

interface Today {
  received: number;
  expected: number;
  worst: { name: string; received: number; expected: number } | null;
}

/** How much of what was expected since midnight of the chosen zone has been received, where it is known. */
function ReceivedToday() {
  const [today, setToday] = useState<Today | null>(null);
  const ids = chosenPlaces.value.filter((p) => p.device_ids.length > 0).map((p) => p.id);
  const away = !readable.value;
  const asked = may("sample.read") && ids.length <= mostAsked;
  const key = asked && !away ? ids.join() : "";
  useEffect(() => {
    setToday(null);
    if (!key) return;
    const gone = new AbortController();
    const load = async () => {
      const found = await Promise.all(key.split(",").map((id) => askedToday(Number(id), gone.signal)));
      if (!gone.signal.aborted) setToday(summed(found));
    };
    // The curves of the tiles come first.
    const soon = setTimeout(() => void load(), 1_500);
    const often = setInterval(() => void load(), askedEvery);
    return () => {
      gone.abort();
      clearTimeout(soon);
      clearInterval(often);
    };
  }, [key, returns.value, zone.value]);
  if (away && ids.length > 0 && asked)
    return (
      <span>
        {t("facts.received-today")} <b>{t("gone.today")}</b>
      </span>
    );
  if (!today || today.expected === 0) return null;
  const { worst } = today;
  return (
    <span>
      {t("facts.received-today")} <b>{percent(today.received, today.expected)}</b>
      {worst && t("facts.worst", { name: worst.name, share: percent(worst.received, worst.expected) })}
    </span>
  );
}

interface Share {
  id: number;
  received: number;
  expected: number;
}

async function askedToday(id: number, signal: AbortSignal): Promise<Share | null> {
  const to = serverNow();
  const from = dayBegin(to, zone.peek());
  try {
    const c = await inTurn(() => loadCompleteness(`/places/${id}`, { from, to }, signal), signal);
    return c.expected === null ? null : { id, expected: c.expected, received: Math.min(c.received, c.expected) };
  } catch {
    // One that cannot be told is left out of the sum.
    return null;
  }
}

function summed(shares: (Share | null)[]): Today {
  const today: Today = { received: 0, expected: 0, worst: null };
  let least = 1;
  for (const share of shares) {
    if (!share || share.expected === 0) continue;
    today.received += share.received;
    today.expected += share.expected;
    const part = share.received / share.expected;
    const place = places.value.get(share.id);
    if (part < least && place) {
      least = part;
      today.worst = { name: placeName(place), received: share.received, expected: share.expected };
    }
  }
  return today;
}
