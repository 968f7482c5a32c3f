import { ask } from "../api/client";
import type { AuditPage } from "../api/proof";
import { asOf, changes } from "../fleet/fleet";
import { actName, differences } from "../words/audit";
import { millis, near } from "../words/format";
import { t } from "../words/messages";
import { visible } from "../words/text";
import { FailureNote } from "./failure";
import { useLoading } from "./loading";
import { nameNow } from "./thing";

/** As many acts as are shown beside a thing; the audit trail has all. */
const mostShown = 8;

/** The newest acts on one thing: "place 3". */
export function ThingAudit({ on }: { on: string }) {
  const list = useLoading((signal) => ask<AuditPage>(`/audit?on=${encodeURIComponent(on)}&limit=${mostShown}`, { signal }), [on, changes.value]);
  const rows = list.value?.entries ?? [];
  return (
    <section class="panel" aria-labelledby="thing-audit">
      <div class="top">
        <h2 id="thing-audit">{t("place.audit")}</h2>
        <a class="link tools" href={`/audit?on=${encodeURIComponent(on)}`}>
          {t("place.audit-all")}
        </a>
      </div>
      {list.failure !== undefined && <FailureNote cause={list.failure} again={list.again} away="gone.audit" />}
      {list.value && rows.length === 0 && <p class="soft">{t(list.value.next === null ? "place.audit-none" : "place.audit-none-yet")}</p>}
      <ul class="plain acts">
        {rows.map((row) => {
          const at = millis(row.at);
          return (
            <li key={row.id}>
              <b>{actName(row.what)}</b> <span class="soft">{at !== null && near(at, asOf.value)}, </span>
              <bdi>{visible(row.who)}</bdi>
              {differences(row.old, row.new, nameNow).map((d) => (
                <span key={d.name} class="cell">
                  <small class="soft">
                    {d.name} {d.old && <del>{d.old}</del>} {d.old && d.new && "→"} {d.new && <ins>{d.new}</ins>}
                  </small>
                </span>
              ))}
              {row.why && <small class="cell">{t("gaps.note", { note: visible(row.why) })}</small>}
            </li>
          );
        })}
      </ul>
    </section>
  );
}
