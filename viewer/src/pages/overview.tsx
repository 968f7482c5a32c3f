import { useSignal } from "@preact/signals";
import { useEffect, useId, useState } from "preact/hooks";
import { inTurn } from "../api/client";
import { loadCompleteness } from "../chart/load";
import { asOf, devices, hearing, loaded, returns, serverNow, status, surveyed, trouble } from "../fleet/fleet";
import { elsewhere, type Survey } from "../fleet/state";
import { readable } from "../fleet/store";
import { useAnnounced } from "../parts/announce";
import { FailureNote } from "../parts/failure";
import { Heading } from "../parts/heading";
import { Messages } from "../parts/messages";
import { ProofLine } from "../parts/proofline";
import { Tile } from "../parts/tile";
import { useTitle } from "../parts/title";
import { deviceName, stateName } from "../words/device";
import { instant, percent } from "../words/format";
import { joined, t } from "../words/messages";

/** One line that says whether all is well, then a tile for every device, those that need a person first. */
export function OverviewPage() {
  useTitle(t("nav.overview"));
  const wanted = useSignal("");
  if (!loaded.value)
    return trouble.value ? (
      <>
        <Heading>{t("nav.overview")}</Heading>
        <FailureNote cause={trouble.value} />
      </>
    ) : (
      <section class="verdict">
        <Heading>{t("overview.loading")}</Heading>
      </section>
    );
  const { attention, others } = surveyed.value;
  const total = devices.value.size;
  const search = wanted.value.trim().toLowerCase();
  const shown = others.filter((id) => matches(id, search));
  return (
    <>
      <Verdict survey={surveyed.value} />
      <ProofLine />
      <Messages of={status.value} />
      {attention.length > 0 && (
        <section aria-labelledby="attention">
          <h2 id="attention">
            {t("overview.attention")} <span>{t("overview.devices", { n: attention.length })}</span>
          </h2>
          <Tiles ids={attention.filter((id) => matches(id, search))} />
        </section>
      )}
      {total > 0 && (
        <section aria-labelledby="all">
          <div class="heading">
            <h2 id="all">
              {t(attention.length ? "overview.others" : "overview.all")} <span>{t(attention.length ? "overview.of-devices" : "overview.devices", { n: attention.length ? others.length : total, all: total })}</span>
            </h2>
            <Filter value={wanted.value} onValue={(v) => (wanted.value = v)} />
          </div>
          {search && shown.length === 0 && <p class="soft">{t("overview.none-found")}</p>}
          <Tiles ids={shown} />
        </section>
      )}
    </>
  );
}

function matches(id: number, search: string): boolean {
  if (!search) return true;
  const device = devices.value.get(id)?.value;
  return device !== undefined && `${deviceName(device)} ${device.serial} ${device.model}`.toLowerCase().includes(search);
}

function Tiles({ ids }: { ids: number[] }) {
  return (
    <div class="grid">
      {ids.map((id) => {
        const device = devices.value.get(id);
        return device && <Tile key={id} device={device} />;
      })}
    </div>
  );
}

function Filter({ value, onValue }: { value: string; onValue: (value: string) => void }) {
  const id = useId();
  return (
    <p class="filter">
      <label class="unseen" for={id}>
        {t("overview.filter")}
      </label>
      <input id={id} type="search" placeholder={t("overview.filter")} value={value} autocomplete="off" onInput={(event) => onValue(event.currentTarget.value)} />
    </p>
  );
}

function Verdict({ survey }: { survey: Survey }) {
  const { census } = survey;
  const total = devices.value.size;
  const live = hearing.value === "live" || hearing.value === "joining";
  const parts = [
    { state: "reporting", text: t("verdict.reporting", { n: census.reporting }), n: census.reporting },
    { state: "alarm", text: t("verdict.alarm", { n: census.alarm }), n: census.alarm },
    { state: "fault", text: t("verdict.fault", { n: census.fault }), n: census.fault },
    { state: "silent", text: t("verdict.silent", { n: census.silent }), n: census.silent },
    { state: "unheard", text: t("verdict.unheard", { n: census.unheard }), n: census.unheard },
  ].filter((p) => p.n > 0);
  const waiting = status.value?.devices.new ?? 0;
  const rest = status.value ? elsewhere(status.value.devices) : [];
  useAnnounced(total ? [...parts.map((p) => p.text), t("verdict.no-limits")].join(", ") : t("verdict.none"));
  return (
    <section class="verdict">
      <Heading>
        {total === 0
          ? t("verdict.none")
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
        {rest.length > 0 && (
          <a class="link" href="/devices">
            {joined(rest.map((r) => t("facts.state", { n: r.n, state: stateName(r.state).toLowerCase() })))}
          </a>
        )}
        {total === 0 && waiting === 0 && (
          <a class="link" href="/new">
            {t("facts.how-to-begin")}
          </a>
        )}
      </div>
    </section>
  );
}

/** A larger fleet's completeness is not asked for device by device. */
const mostAsked = 60;
const askedEvery = 10 * 60_000;

interface Today {
  received: number;
  expected: number;
  worst: { name: string; received: number; expected: number } | null;
}

/** How much of what was expected since midnight has been received, where it is known. */
function ReceivedToday() {
  const [today, setToday] = useState<Today | null>(null);
  const ids = [...devices.value.keys()];
  const away = !readable.value;
  const key = ids.length <= mostAsked && !away ? ids.join() : "";
  useEffect(() => {
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
  }, [key, returns.value]);
  if (away && ids.length > 0 && ids.length <= mostAsked)
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
  const from = new Date(to).setHours(0, 0, 0, 0);
  try {
    const c = await inTurn(() => loadCompleteness(id, { from, to }, signal), signal);
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
    const device = devices.value.get(share.id)?.value;
    if (part < least && device) {
      least = part;
      today.worst = { name: deviceName(device), received: share.received, expected: share.expected };
    }
  }
  return today;
}
