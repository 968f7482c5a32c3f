import type { Node } from "../api/types";
import { asOf } from "../fleet/fleet";
import { readable } from "../fleet/store";
import { ago, millis, near } from "../words/format";
import { t } from "../words/messages";
import { visible } from "../words/text";
import { Table } from "./table";

/** The servers that share the database, as each said itself when it was seen last. */
export function NodesPanel({ nodes }: { nodes: Node[] }) {
  if (nodes.length === 0) return null;
  return (
    <section class="panel nodes" aria-labelledby="nodes">
      <h2 id="nodes">
        {t("nodes.title")} <span>{t("nodes.count", { n: nodes.length })}</span>
      </h2>
      <Table
        label={t("nodes.title")}
        columns={[
          t("nodes.name"),
          { name: t("server.version"), class: "wide" },
          t("nodes.seen"),
          { name: t("nodes.waiting"), class: "num" },
        ]}
      >
        {nodes.map((node, i) => (
          <Row key={i} node={node} />
        ))}
      </Table>
      {!readable.value && <p class="soft">{t("nodes.stale")}</p>}
    </section>
  );
}

function Row({ node }: { node: Node }) {
  const seen = millis(node.seen_at),
    oldest = millis(node.oldest_waiting_at);
  return (
    <tr>
      <th scope="row">
        <bdi>{visible(node.name)}</bdi>
        {node.self && <small class="cell soft">{t("nodes.self")}</small>}
        {node.leads && <small class="cell soft">{t("nodes.leads")}</small>}
      </th>
      <td class="wide">{visible(node.version)}</td>
      <td>
        {seen === null ? "–" : near(seen, asOf.value, true)}
        {node.silent && <span class="cell state silent">{t("nodes.silent")}</span>}
      </td>
      <td class="num">
        {t("count", { n: node.waiting })}
        {node.waiting > 0 && oldest !== null && <small class="cell soft">{t("nodes.oldest", { ago: ago(oldest, asOf.value) })}</small>}
      </td>
    </tr>
  );
}
