import { useState } from "preact/hooks";
import { ask } from "../api/client";
import type { SessionList } from "../api/people";
import { serverNow } from "../fleet/fleet";
import { ago, instant, millis } from "../words/format";
import { t } from "../words/messages";
import { visible } from "../words/text";
import { announce } from "./announce";
import { Dialog } from "./dialog";
import { useDoing, Wrong } from "./doing";
import { FailureNote } from "./failure";
import { useLoading } from "./loading";

/** Where somebody is signed in, each with a way to end it. `of` is the way to the person in the API. */
export function Sessions({ of, mine, canEnd }: { of: string; mine: boolean; canEnd: boolean }) {
  const list = useLoading((signal) => ask<SessionList>(`${of}/sessions`, { signal }), [of]);
  const doing = useDoing();
  const [endsAll, setEndsAll] = useState(false);
  const end = (id: string) =>
    doing.run(async () => {
      await ask(`${of}/sessions/${encodeURIComponent(id)}`, { method: "DELETE" });
      announce(t("account.session-ended"));
      list.again();
    });
  const sessions = list.value?.sessions ?? [];
  return (
    <section class="panel" aria-labelledby="sessions">
      <div class="top">
        <h2 id="sessions">{t(mine ? "account.sessions" : "people.sessions")}</h2>
        {!mine && canEnd && sessions.length > 0 && (
          <div class="buttons">
            <button type="button" class="btn small" onClick={() => setEndsAll(true)}>
              {t("people.end-sessions")}
            </button>
          </div>
        )}
      </div>
      {list.failure !== undefined && <FailureNote cause={list.failure} again={list.again} />}
      <Wrong>{doing.wrong}</Wrong>
      {list.value && sessions.length === 0 && <p class="soft">{t("account.sessions-none")}</p>}
      <ul class="plain entries">
        {sessions.map((s) => {
          const seen = millis(s.seen_at),
            begun = millis(s.begun_at);
          return (
            <li key={s.id}>
              <div>
                <bdi>{agentWords(s.agent)}</bdi>
                <small class="cell soft">
                  {s.this ? <b>{t("account.session-this")}</b> : seen !== null && t("account.session-seen", { ago: ago(seen, serverNow()) })}
                  {" · "}
                  {t("account.session-from", { address: visible(s.address) })}
                  {begun !== null && ` · ${t("account.session-begun", { at: instant(begun, false) })}`}
                </small>
              </div>
              {!s.this && canEnd && (
                <button type="button" class="btn small" aria-label={t("account.session-end-of", { agent: agentWords(s.agent) })} onClick={() => void end(s.id)}>
                  {t("account.session-end")}
                </button>
              )}
            </li>
          );
        })}
      </ul>
      {endsAll && (
        <Dialog
          title={t("people.end-sessions")}
          act={t("people.end-sessions-act")}
          grave
          onAct={async () => {
            await ask(`${of}/sessions`, { method: "DELETE" });
            announce(t("account.session-ended"));
            list.again();
          }}
          onClose={() => setEndsAll(false)}
        >
          <p>{t("people.end-sessions-what")}</p>
        </Dialog>
      )}
    </section>
  );
}

const browsers: [RegExp, string][] = [
  [/\bEdg\//, "Edge"],
  [/\b(OPR|Opera)\//, "Opera"],
  [/\bFirefox\//, "Firefox"],
  [/\b(Headless)?Chrom(e|ium)\//, "Chrome"],
  [/\bSafari\//, "Safari"],
];
const systems: [RegExp, string][] = [
  [/Windows/, "Windows"],
  [/Android/, "Android"],
  [/iPhone|iPad/, "iOS"],
  [/Mac OS X/, "macOS"],
  [/Linux/, "Linux"],
];

/** A browser as a person knows it; what is not known is shown as it is. */
export function agentWords(agent: string): string {
  const find = (of: [RegExp, string][]) => of.find(([pattern]) => pattern.test(agent))?.[1];
  const browser = find(browsers),
    system = find(systems);
  if (browser && system) return t("account.agent", { browser, system });
  const text = visible(agent);
  return text === "" ? t("account.agent-none") : text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
