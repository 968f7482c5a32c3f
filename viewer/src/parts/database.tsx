import type { FullStatus, Store } from "../api/types";
import { asOf } from "../fleet/fleet";
import { bytes, decimal, millis } from "../words/format";
import { t, type Key } from "../words/messages";
import { engineName, forecast, limitWords, sinceWords, usedWords, waitingWords } from "../words/store";
import { visible } from "../words/text";
import { Facts } from "./facts";

const states: Record<Store["state"], Key> = { ok: "store.ok", away: "store.away", "read-only": "store.read-only", full: "store.full" };

/** The database: how it stands and since when, what waits for it, what it holds, and when it will be full. */
export function DatabasePanel({ of }: { of: FullStatus }) {
  const { store, journal } = of;
  const since = millis(store.since);
  const problem = store.problem || of.messages.find((m) => m.code === `store-${store.state}`)?.text;
  const known = (n: number, text: string) => (n > 0 ? text : t("store.not-known"));
  return (
    <section class="panel database" aria-labelledby="database">
      <h2 id="database">{t("store.title")}</h2>
      <p class={store.state === "ok" ? "state accepted" : "state bad"}>{t(states[store.state])}</p>
      {problem && <p class="problem">{visible(problem)}</p>}
      <div class="two even">
        <Facts
          rows={[
            [t("store.engine"), engineName(store)],
            [t("store.schema"), known(store.schema, t("count", { n: store.schema }))],
            ...(since === null ? [] : [[t("store.since"), sinceWords(since, asOf.value)] as [string, string]]),
            [t("journal.waiting"), waitingWords(journal.waiting, journal.oldest_waiting_at, asOf.value)],
          ]}
        />
        <Facts
          rows={[
            [t("store.size"), known(store.bytes, bytes(store.bytes))],
            [t("store.samples"), known(store.samples, t("count", { n: store.samples }))],
            [t("store.sample-size"), known(store.bytes_per_sample, decimal(store.bytes_per_sample, 1))],
            [t("store.per-day"), known(store.samples_per_day, t("count", { n: Math.round(store.samples_per_day) }))],
          ]}
        />
      </div>
      <Growth of={store} />
    </section>
  );
}

/** How much of its room the database has used, what bounds it, and when it is full. */
function Growth({ of }: { of: Store }) {
  const { text, tone } = forecast(of, asOf.value);
  const limit = limitWords(of);
  const bounded = of.limit_bytes > 0 && of.bytes > 0;
  return (
    <div class={`growth ${tone}`}>
      <h3>{t("growth.title")}</h3>
      {bounded && <Bar share={Math.min(1, of.bytes / of.limit_bytes)} label={usedWords(of)} />}
      <p>
        {bounded ? usedWords(of) : of.bytes > 0 ? t("growth.no-limit", { size: bytes(of.bytes) }) : t("store.not-known")} · {tone || of.full_at ? <b>{text}</b> : text}
      </p>
      {limit && <p class="soft">{limit}</p>}
    </div>
  );
}

/** A bar that is full as far as the room is; its label says the same. */
function Bar({ share, label }: { share: number; label: string }) {
  return (
    <svg class="room" width="100%" height="10" role="img" aria-label={label}>
      <rect class="whole" width="100%" height="10" rx="5" />
      <rect class="used" width={`${Math.max(1, share * 100).toFixed(1)}%`} height="10" rx="5" />
    </svg>
  );
}
