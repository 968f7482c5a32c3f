import { ask } from "../api/client";
import type { Usage, UsageList } from "../api/people";
import { returns } from "../fleet/fleet";
import { FailureNote } from "../parts/failure";
import { Heading } from "../parts/heading";
import { useLoading } from "../parts/loading";
import { PeopleNav } from "../parts/peoplenav";
import { Table } from "../parts/table";
import { useTitle } from "../parts/title";
import { everything } from "../tree/nodes";
import { choice, pathName } from "../tree/tree";
import { instant, millis } from "../words/format";
import { t, type Key } from "../words/messages";

const columns: { name: keyof Usage; key: Key }[] = [
  { name: "places", key: "usage.places" },
  { name: "devices", key: "usage.devices" },
  { name: "channels", key: "usage.channels" },
  { name: "people", key: "usage.people" },
  { name: "samples_per_day", key: "usage.samples" },
];

/** How much there is of everything, by organization, as for a licence or an invoice. */
export function UsagePage() {
  useTitle(t("nav.usage"));
  const { id, sub } = choice.value;
  const loading = useLoading((signal) => ask<UsageList>(`/usage${id === everything ? "" : `?organization_id=${id}&sub=${sub}`}`, { signal }), [id, sub, returns.value]);
  const usage = loading.value;
  const at = millis(usage?.at);
  return (
    <>
      <PeopleNav />
      <section class="verdict">
        <Heading>{t("nav.usage")}</Heading>
        <div class="facts">
          <span>{t("usage.what")}</span>
          {at !== null && (
            <span>
              {t("facts.as-of")} <b>{instant(at)}</b>
            </span>
          )}
        </div>
      </section>
      {loading.failure !== undefined && <FailureNote cause={loading.failure} again={loading.again} />}
      {usage && (
        <section class="panel" aria-label={t("nav.usage")}>
          <Table
            label={t("nav.usage")}
            class="stacked named"
            columns={[t("people.organization"), ...columns.map((c) => ({ name: t(c.key), class: "num" }))]}
            foot={
              <tr>
                <th scope="row">{t("usage.total")}</th>
                <Numbers of={usage.total} />
              </tr>
            }
          >
            {usage.organizations.map((o) => (
              <tr key={o.organization_id}>
                <th scope="row">
                  <bdi>{pathName(o.path)}</bdi>
                </th>
                <Numbers of={o} />
              </tr>
            ))}
          </Table>
          <p class="soft below">{t("usage.samples-what")}</p>
        </section>
      )}
    </>
  );
}

function Numbers({ of }: { of: Usage }) {
  return (
    <>
      {columns.map((c) => (
        <td key={c.name} class="num" data-label={t(c.key)}>
          {t("count", { n: of[c.name] })}
        </td>
      ))}
    </>
  );
}
