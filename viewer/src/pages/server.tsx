import { useState } from "preact/hooks";
import { ask } from "../api/client";
import type { FullStatus, Journal, Listener, Unrecognized } from "../api/types";
import { asOf, may, status } from "../fleet/fleet";
import { isFull } from "../fleet/state";
import { storeState } from "../fleet/store";
import { Body } from "../parts/body";
import { DatabasePanel } from "../parts/database";
import { Facts } from "../parts/facts";
import { failureWords, FailureNote } from "../parts/failure";
import { Heading } from "../parts/heading";
import { useLoading } from "../parts/loading";
import { Messages } from "../parts/messages";
import { NodesPanel } from "../parts/nodes";
import { Table } from "../parts/table";
import { useTitle } from "../parts/title";
import { bytes, instant, millis, near, percent, span } from "../words/format";
import { t, type Key } from "../words/messages";
import { noRecordingWords, waitingWords } from "../words/store";
import { visible } from "../words/text";

const verdicts: Record<FullStatus["state"], Key> = { ok: "server.ok", degraded: "server.degraded", failing: "server.failing" };
const journalStates: Record<Journal["state"], Key> = { ok: "journal.ok", full: "journal.full", failing: "journal.failing" };

/** How the server itself does: what is kept where, who reaches it, what it could not understand. */
export function ServerPage() {
  useTitle(t("nav.server"));
  const s = status.value;
  if (!s || !isFull(s))
    return (
      <>
        <section class="verdict">
          <Heading>{t("nav.server")}</Heading>
        </section>
        {s && <p class="note">{t("server.not-yours")}</p>}
        <Messages of={s} />
      </>
    );
  const started = millis(s.started_at);
  const at = millis(s.at);
  return (
    <>
      <section class="verdict">
        <Heading>{s.state === "ok" ? t("server.ok") : <b class={s.state === "failing" ? "alarm" : "fault"}>{t(verdicts[s.state])}</b>}</Heading>
        <div class="facts">
          {at !== null && (
            <span>
              {t("facts.as-of")} <b>{instant(at)}</b>
            </span>
          )}
          <span>
            {t("server.node")} <b>{visible(s.node)}</b>
          </span>
          <span>
            {t("server.version")} <b>{visible(s.version)}</b>
          </span>
          {started !== null && <span>{t("server.started", { at: near(started, asOf.value), span: span((asOf.value - started) / 1000) })}</span>}
        </div>
      </section>
      <Messages of={s} />
      <DatabasePanel of={s} />
      <NodesPanel nodes={s.nodes} />
      <div class="two even">
        <JournalPanel of={s} />
        <QuarantinePanel of={s} />
      </div>
      <Listeners of={s.listeners} />
      {may("diagnosis.read") && <UnrecognizedPanel count={s.unrecognized.count} />}
    </>
  );
}

function JournalPanel({ of }: { of: FullStatus }) {
  const j = of.journal;
  const [said, setSaid] = useState("");
  const why = noRecordingWords(storeState.value);
  const flush = async () => {
    setSaid(t("journal.flushing"));
    try {
      const done = await ask<{ recorded: number; last: number }>("/journal/flush", { method: "POST" });
      setSaid(t("journal.flushed", { n: done.recorded }));
    } catch (cause) {
      setSaid(failureWords(cause));
    }
  };
  return (
    <section class="panel">
      <h2>{t("journal.title")}</h2>
      <p class={j.state === "ok" ? "state accepted" : "state bad"}>{t(journalStates[j.state])}</p>
      <Facts
        rows={[
          [t("journal.last"), t("count", { n: j.last })],
          [t("journal.recorded"), t("count", { n: j.recorded })],
          [t("journal.waiting"), waitingWords(j.waiting, j.oldest_waiting_at, asOf.value)],
          [t("journal.size"), t("journal.files", { n: j.files, size: bytes(j.bytes) })],
        ]}
      />
      {may("journal.flush") && (
        <p class="act">
          <button type="button" class="btn small" disabled={why !== ""} onClick={() => void flush()}>
            {t("journal.flush")}
          </button>{" "}
          <span role="status">{why || said}</span>
        </p>
      )}
    </section>
  );
}

function QuarantinePanel({ of }: { of: FullStatus }) {
  const q = of.quarantine;
  return (
    <section class="panel">
      <h2>{t("quarantine.title")}</h2>
      <p class={q.refused ? "state bad" : "state accepted"}>{t(q.refused ? "quarantine.refused" : "quarantine.room", { n: q.refused })}</p>
      <Facts
        rows={[
          [t("quarantine.uploads"), t("count", { n: q.uploads })],
          [t("quarantine.devices"), t("quarantine.of", { n: q.devices, of: q.device_budget })],
          [t("quarantine.used"), t("quarantine.size", { size: bytes(q.bytes), of: bytes(q.budget_bytes), share: percent(q.bytes, q.budget_bytes) })],
        ]}
      />
    </section>
  );
}

function Listeners({ of }: { of: Listener[] }) {
  return (
    <section class="panel" aria-labelledby="listeners">
      <h2 id="listeners">{t("listeners.title")}</h2>
      <Table
        label={t("listeners.title")}
        columns={[
          t("listeners.address"),
          t("listeners.for"),
          { name: t("listeners.requests"), class: "num" },
          { name: t("listeners.last"), class: "num" },
        ]}
      >
        {of.map((l) => (
          <ListenerRows key={`${l.purpose} ${l.address}`} listener={l} />
        ))}
      </Table>
    </section>
  );
}

function ListenerRows({ listener }: { listener: Listener }) {
  const last = millis(listener.last_request_at);
  const note = listener.note || (last === null ? t("listeners.never") : "");
  return (
    <>
      <tr class={note ? "noted" : ""}>
        <td>
          <code>{visible(listener.address)}</code>
        </td>
        <td>
          {t(listener.purpose === "devices" ? "listeners.devices" : "listeners.viewer")}, {t(listener.tls ? "listeners.tls" : "listeners.plain")}
        </td>
        <td class="num">{t("count", { n: listener.requests })}</td>
        <td class="num">{last === null ? "–" : near(last, asOf.value, true)}</td>
      </tr>
      {note && (
        <tr>
          <td colSpan={4} class="why">
            {visible(note)}
          </td>
        </tr>
      )}
    </>
  );
}

/** The last bodies that no family recognised. */
function UnrecognizedPanel({ count }: { count: number }) {
  const list = useLoading((signal) => ask<Unrecognized>("/unrecognized", { signal }), [count]);
  const bodies = list.value?.bodies ?? [];
  return (
    <section class="panel" aria-labelledby="unrecognized">
      <h2 id="unrecognized">
        {t("unrecognized.title")} <span>{t("unrecognized.count", { n: count })}</span>
      </h2>
      {list.failure !== undefined && <FailureNote cause={list.failure} again={list.again} />}
      {bodies.length === 0 ? (
        <p class="soft">{t("unrecognized.none")}</p>
      ) : (
        <ul class="plain">
          {bodies.map((b, i) => {
            const at = millis(b.received_at);
            return (
              <li key={`${b.received_at} ${i}`}>
                <details>
                  <summary>
                    <b>{at === null ? "" : near(at, asOf.value, true)}</b> {visible(b.reason)} <span class="soft">{bytes(b.bytes)}</span>
                  </summary>
                  <Body body={b.body} label={t("unrecognized.body")} />
                </details>
              </li>
            );
          })}
        </ul>
      )}
    </section>
  );
}
