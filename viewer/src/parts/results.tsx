import { useState } from "preact/hooks";
import { ask } from "../api/client";
import type { ProofResult, ProofResults } from "../api/proof";
import { asOf, returns } from "../fleet/fleet";
import { kindName, resultKinds, resultTone, resultWords } from "../proof/results";
import { instant, millis, near } from "../words/format";
import { t } from "../words/messages";
import { visible } from "../words/text";
import { FailureNote } from "./failure";
import { usePages } from "./paged";

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
        <div class="scroll" tabIndex={0} role="group" aria-label={t("results.title")}>
          <table class="results">
            <thead>
              <tr>
                <th scope="col">{t("results.when")}</th>
                <th scope="col">{t("results.kind")}</th>
                <th scope="col">{t("results.result")}</th>
                <th scope="col" class="wide">
                  {t("nodes.name")}
                </th>
              </tr>
            </thead>
            <tbody>
              {all.map((r) => (
                <Row key={r.id} result={r} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {list.hasMore && (
        <p class="pager">
          <button type="button" class="btn" disabled={list.busy} onClick={list.more}>
            {t("results.more")}
          </button>
        </p>
      )}
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
