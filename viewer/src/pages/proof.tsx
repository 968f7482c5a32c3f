import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { request } from "../api/client";
import type { Backup, Checkpoint, Drill, Finding, Proof, Sending, SetBack, Verification } from "../api/proof";
import { asOf, may, returns, serverNow } from "../fleet/fleet";
import { storeState } from "../fleet/store";
import { announce } from "../parts/announce";
import { DatesDialog } from "../parts/dates";
import { useDoing } from "../parts/doing";
import { FailureNote } from "../parts/failure";
import { Facts } from "../parts/facts";
import { Heading } from "../parts/heading";
import { useLoading } from "../parts/loading";
import { ResultsPanel } from "../parts/results";
import { SteadyButton } from "../parts/steadybutton";
import { useTitle } from "../parts/title";
import { backupAnswer, changedAnswer, hasLeft, missingAnswer, restoreAnswer, scopeWords, type Answer } from "../proof/answers";
import { daysWords } from "../proof/days";
import { loadProof, loadRecent } from "../proof/load";
import { countsWords } from "../proof/words";
import type { Range } from "../chart/range";
import { ago, bytes, instant, millis, near, percent } from "../words/format";
import { t } from "../words/messages";
import { noChangeWords } from "../words/store";
import { visible } from "../words/text";

/** While a verification runs its progress is asked for as often as this, else as seldom as that, in milliseconds. */
const soon = 2_000,
  seldom = 60_000;

/** An auditor's three questions, each answered by what has been proven and when. */
export function ProofPage() {
  useTitle(t("nav.proof"));
  const [round, setRound] = useState(0);
  const loading = useLoading((signal) => loadProof(signal), [round, returns.value]);
  const proof = loading.value;
  const running = proof?.verification?.running ?? false;
  useEffect(() => {
    const timer = setTimeout(() => setRound((n) => n + 1), running ? soon : seldom);
    return () => clearTimeout(timer);
  }, [round, running, proof, loading.failure]);
  return (
    <>
      <section class="verdict">
        <Heading>{t("proof.title")}</Heading>
        <div class="facts">
          <span>
            {t("facts.as-of")} <b>{instant(asOf.value)}</b>
          </span>
        </div>
      </section>
      {loading.failure !== undefined && <FailureNote cause={loading.failure} again={loading.again} away="gone.proof" />}
      {proof && proof.set_back.length > 0 && <SetBacks of={proof.set_back} />}
      <MissingBlock />
      {proof && <ChangedBlock proof={proof} onStarted={loading.again} />}
      {proof && <RestoreBlock drill={proof.drill} backup={proof.backup} />}
      {(proof || loading.failure !== undefined) && <ResultsPanel newest={proof?.verification?.at ?? ""} />}
    </>
  );
}

/** One of the three questions with its answer. */
function Block({ id, question, answer, children }: { id: string; question: string; answer: Answer; children: ComponentChildren }) {
  return (
    <section class="panel question" aria-labelledby={id}>
      <h2 id={id}>{question}</h2>
      <p class={`answer big-answer ${answer.tone}`}>{answer.text}</p>
      {children}
    </section>
  );
}

function SetBacks({ of }: { of: SetBack[] }) {
  return (
    <ul class="messages">
      {of.map((s) => {
        const at = millis(s.at);
        return (
          <li key={`${s.at} ${s.what}`} class="degraded">
            <b>{t("severity.set-back")}</b> {visible(s.text)} {at !== null && <span class="soft">({near(at, asOf.value)})</span>}
          </li>
        );
      })}
    </ul>
  );
}

function MissingBlock() {
  const loading = useLoading((signal) => loadRecent(serverNow(), signal), [returns.value]);
  const f = loading.value;
  const answer = f ? missingAnswer(f) : { tone: "" as const, text: t(loading.failure === undefined ? "completeness.counting" : "gone.completeness") };
  return (
    <Block id="missing" question={t("proof.missing")} answer={answer}>
      {loading.failure !== undefined && <FailureNote cause={loading.failure} again={loading.again} away="gone.completeness-page" />}
      {f && (
        <p class="soft">
          {daysWords(f.days)}, {t("days.utc")}
          {f.expected > 0 && ` · ${t("completeness.of", { received: f.received, n: f.expected })}, ${percent(Math.min(f.received, f.expected), f.expected)}`}
          {countsWords(f) && ` · ${countsWords(f)}`}
        </p>
      )}
      <p class="act">
        <a class="btn small" href="/completeness">
          {t("proof.missing.open")}
        </a>
      </p>
    </Block>
  );
}

function ChangedBlock({ proof, onStarted }: { proof: Proof; onStarted: () => void }) {
  const v = proof.verification;
  const at = millis(v?.at);
  return (
    <Block id="changed" question={t("proof.changed")} answer={changedAnswer(v)}>
      {v && at !== null && (
        <>
          <p class="soft scope">{scopeWords(v).join(" · ")}</p>
          <Findings of={v.findings} all={v.finding_count} />
          {v.problem && <p class="problem">{visible(v.problem)}</p>}
        </>
      )}
      <Verify of={v} onStarted={onStarted} />
      <div class="two even facts-pair">
        {v && at !== null && (
          <Facts
            rows={[
              [t("proof.verified"), `${instant(at, false)}, ${ago(at, asOf.value)}`],
              [t("proof.samples"), t("count", { n: v.samples })],
              [t("proof.batches"), t("count", { n: v.batches })],
              [t("proof.checkpoints"), t("count", { n: v.checkpoints })],
            ]}
          />
        )}
        <CheckpointFacts of={proof.checkpoint} />
      </div>
    </Block>
  );
}

function Findings({ of, all }: { of: Finding[]; all: number }) {
  if (of.length === 0) return null;
  return (
    <>
      <ul class="findings">
        {of.map((f, i) => (
          <li key={`${f.what} ${i}`}>
            <b>{visible(f.what)}</b> {visible(f.text)}
          </li>
        ))}
      </ul>
      {all > of.length && <p class="soft">{t("proof.findings-more", { n: all - of.length })}</p>}
    </>
  );
}

/** Begins a verification, of all or between two dates, and shows how far it is. */
function Verify({ of, onStarted }: { of: Verification | null; onStarted: () => void }) {
  const [dates, setDates] = useState(false);
  const { busy, wrong, setWrong, run } = useDoing();
  const why = noChangeWords(storeState.value);
  const running = of?.running ?? false;
  const done = of?.at ?? "";
  useEffect(() => {
    if (!running) setWrong("");
  }, [running, done]);
  const begin = (range?: Range) =>
    void run(async () => {
      await request("/proof/verifications", { method: "POST", body: range ? { from: new Date(range.from).toISOString(), to: new Date(range.to).toISOString() } : {} });
      announce(t("proof.verifying"));
      onStarted();
    });
  if (!may("proof.run")) return running && <Running progress={of?.progress ?? 0} />;
  const now = serverNow();
  // The buttons stay while it runs, so that whoever began it by keys is still where they were.
  return (
    <p class="act">
      <SteadyButton class="btn primary small" off={busy || running} disabled={why !== ""} onClick={() => begin()}>
        {t("proof.verify")}
      </SteadyButton>
      <SteadyButton class="btn small" off={busy || running} disabled={why !== ""} onClick={() => setDates(true)}>
        {t("proof.verify-dates")}
      </SteadyButton>
      {running && <Running progress={of?.progress ?? 0} />}
      <span role="status" class={wrong ? "failure" : ""}>
        {why || wrong}
      </span>
      {dates && (
        <DatesDialog
          title={t("proof.verify-title")}
          what={t("proof.verify-what")}
          act={t("proof.verify-act")}
          range={{ from: now - 31 * 86_400_000, to: now }}
          onRange={begin}
          onClose={() => setDates(false)}
        />
      )}
    </p>
  );
}

function Running({ progress }: { progress: number }) {
  const share = Math.min(1, Math.max(0, progress));
  return (
    <span class="running">
      <progress max={1} value={share} aria-label={t("proof.verifying")} />
      <span>{t("proof.verifying-share", { share: percent(share, 1) })}</span>
    </span>
  );
}

/** The newest checkpoint, and whether it has left this machine. */
function CheckpointFacts({ of }: { of: Checkpoint | null }) {
  const at = millis(of?.at);
  if (!of || at === null)
    return (
      <Facts
        rows={[
          [t("proof.checkpoint"), t("proof.checkpoint-none")],
        ]}
      />
    );
  return (
    <div>
      <Facts
        rows={[
          [t("proof.checkpoint"), `${instant(at, false)}, ${ago(at, asOf.value)}`],
          [t("proof.checkpoint-node"), visible(of.node)],
        ]}
      />
      {!hasLeft(of) && <p class="soft">{t("proof.checkpoint-here")}</p>}
      {of.sent.length > 0 && (
        <ul class="plain sent">
          {of.sent.map((s) => (
            <SentTo key={`${s.to} ${s.at}`} of={s} />
          ))}
        </ul>
      )}
    </div>
  );
}

function SentTo({ of }: { of: Sending }) {
  const at = millis(of.at);
  if (at === null) return <li class="state">{t("proof.not-sent-yet", { to: visible(of.to) })}</li>;
  const when = near(at, asOf.value);
  return (
    <li class={of.ok ? "state" : "state bad"}>
      {of.ok ? t("proof.sent", { to: visible(of.to), at: when }) : t("proof.not-sent", { to: visible(of.to), at: when })} {of.problem && visible(of.problem)}
    </li>
  );
}

function RestoreBlock({ drill, backup }: { drill: Drill | null; backup: Backup | null }) {
  const drilled = millis(drill?.at),
    made = millis(backup?.at),
    end = millis(backup?.end_at),
    of = millis(drill?.backup_at);
  const state = backupAnswer(backup);
  return (
    <Block id="restore" question={t("proof.restore")} answer={restoreAnswer(drill, backup)}>
      {drill?.problem && <p class="problem">{visible(drill.problem)}</p>}
      {drill && <Findings of={drill.findings} all={drill.findings.length} />}
      {!backup?.configured && <p class="soft">{t("proof.backup.how")}</p>}
      <div class="two even facts-pair">
        {drill && drilled !== null && (
          <Facts
            rows={[
              [t("proof.drilled"), `${instant(drilled, false)}, ${ago(drilled, asOf.value)}`],
              [t("proof.drill-backup"), visible(drill.backup)],
              ...(of === null ? [] : [[t("proof.drill-of"), instant(of, false)] as [string, string]]),
              [t("proof.samples"), t("count", { n: drill.samples })],
            ]}
          />
        )}
        <div>
          {backup?.configured && <p class={`answer ${state.tone}`}>{state.text}</p>}
          {backup?.problem && <p class="problem">{visible(backup.problem)}</p>}
          {backup && made !== null && (
            <Facts
              rows={[
                [t("proof.backup"), visible(backup.name)],
                [t("proof.backup-to"), visible(backup.to)],
                ...(end === null ? [] : [[t("proof.backup-end"), instant(end, false)] as [string, string]]),
                [t("store.size"), bytes(backup.bytes)],
                [t("proof.encryption"), t(backup.encrypted ? "proof.encrypted" : "proof.not-encrypted")],
              ]}
            />
          )}
        </div>
      </div>
    </Block>
  );
}
