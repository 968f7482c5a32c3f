import { useState } from "preact/hooks";
import { ask } from "../api/client";
import type { ProofResult, ProofResults } from "../api/proof";
import { asOf, returns } from "../fleet/fleet";
import { kindName, resultKinds, resultTone, resultWords } from "../proof/results";
import { instant, millis, near } from "../words/format";
import { t } from "../words/messages";
import { visible } from "../words/text";
import { FailureNote } from "./failure";
import { More } from "./more";
import { usePages } from "./paged";
import { Table } from "./table";

/** As many results as are asked for at once. */
const atOnce = 50;

/** All results of checks, newest first, of every kind or of one. */
export function ResultsPanel({ newest }: { newest: string }) {
  const [kind, setKind] = useState("");
  return (
    <section class="panel" aria-labelledby="results">
      <div class="top">
        <h2 id="results">{t("results.title")}</h2>
        <div class="ranges" role="group" aria-label={t("results.by-kind")}>
          {["", ...resultKinds].map((k) => (
            <button key={k} type="button" aria-pressed={kind === k} onClick={() => setKind(k)}>
              {k ? kindName(k) : t("results.every")}
            </button>
          ))}
        </div>
      </div>
      <Results key={`${kind} ${newest}`} kind={kind} />
    </section>
  );
}

function Results({ kind }: { kind: string }) {
  const list = usePages(
    (before, signal) => ask<ProofResults>(`/proof/results?limit=${atOnce}${kind ? `&kind=${kind}` : ""}${before === null ? "" : `&before=${encodeURIComponent(before)}`}`, { signal }),
    [returns.value],
  );
  const all = list.pages.flatMap((p) => p.results);
  return (
    <>
      {list.failure !== undefined && <FailureNote cause={list.failure} again={list.again} away="gone.proof" />}
      {list.pages.length > 0 && all.length === 0 && <p class="soft waiting">{t("results.none")}</p>}
      {all.length > 0 && (
        <Table label={t("results.title")} class="results" columns={[t("results.when"), t("results.kind"), t("results.result"), { name: t("nodes.name"), class: "wide" }]}>
          {all.map((r) => (
            <Row key={r.id} result={r} />
          ))}
        </Table>
      )}
      <More list={list} act={t("results.more")} />
    </>
  );
}

function Row({ result }: { result: ProofResult }) {
  const at = millis(result.at);
  return (
    <tr>
      <td title={at === null ? "" : instant(at)}>{at === null ? "" : near(at, asOf.value)}</td>
      <td>{kindName(result.kind)}</td>
      <td>
        <span class={`answer ${resultTone(result)}`}>{resultWords(result)}</span>
      </td>
      <td class="wide">{visible(result.node)}</td>
    </tr>
  );
}
