import { useEffect } from "preact/hooks";
import { asOf, may, me, returns, serverNow, status } from "../fleet/fleet";
import { readable } from "../fleet/store";
import { changedAnswer, missingAnswer, needs, restoreAnswer, shortScopeWords, type Answer } from "../proof/answers";
import { known, loadProof, loadRecent } from "../proof/load";
import { date, millis } from "../words/format";
import { t } from "../words/messages";
import { ReviewLine } from "./reviewline";

/** What the first page knows is asked for again after this time, in milliseconds. */
const freshFor = 5 * 60_000;
/** The values and their curves come first. */
const afterAll = 2_500;

/** Keeps what the first page knows of the proof while it is open. */
function useKnown(): void {
  const away = !readable.value;
  const name = me.value?.name;
  useEffect(() => {
    if (away || !may("proof.read")) return;
    const gone = new AbortController();
    const load = async () => {
      const before = known.peek();
      if (before && Date.now() - before.at < freshFor) return;
      // One of the two may be had where the other may not.
      const [proof, figures] = await Promise.allSettled([loadProof(gone.signal), loadRecent(serverNow(), gone.signal)]);
      if (gone.signal.aborted) return;
      const value = <T,>(of: PromiseSettledResult<T>) => (of.status === "fulfilled" ? of.value : null);
      known.value = { proof: value(proof), figures: value(figures), at: Date.now() };
    };
    const soon = setTimeout(() => void load(), known.peek() ? 0 : afterAll);
    const often = setInterval(() => void load(), 60_000);
    return () => {
      gone.abort();
      clearTimeout(soon);
      clearInterval(often);
    };
  }, [away, name, returns.value]);
}

/** The auditor's three questions in a quiet line, each with its date; what needs a person stands out. */
export function ProofLine() {
  useKnown();
  const { proof, figures } = known.value ?? { proof: null, figures: null };
  if (!may("proof.read") || (!proof && !figures))
    return (
      <div class="facts proofline">
        <ReviewLine />
      </div>
    );
  const wanting = proof ? needs(proof, asOf.value, status.value?.messages.map((m) => m.code)) : [];
  // What stands out below is not said twice.
  const quiet = (answer: Answer) => answer.tone !== "alarm" && answer.tone !== "fault";
  const changed = proof && changedAnswer(proof.verification);
  const restore = proof && restoreAnswer(proof.drill, proof.backup);
  const verified = millis(proof?.verification?.at);
  return (
    <>
      <div class="facts proofline">
        {figures && (
          <span>
            <Said answer={missingAnswer(figures)} href="/completeness" /> {t("proofline.recent")}
          </span>
        )}
        {proof && changed && quiet(changed) && (
          <span>
            <Said answer={changed} href="/proof" />
            {verified !== null && ` ${t("proofline.verified", { at: date(verified), scope: shortScopeWords(proof.verification).join(", ") })}`}
          </span>
        )}
        {restore && quiet(restore) && (
          <span>
            <Said answer={restore} href="/proof" />
          </span>
        )}
        <ReviewLine />
      </div>
      {wanting.length > 0 && (
        <ul class="messages proof-needs">
          {(["alarm", "fault"] as const).map((tone) => {
            const said = wanting.filter((a) => a.tone === tone).map((a) => a.text);
            return (
              said.length > 0 && (
                <li key={tone} class={tone === "alarm" ? "failing" : "degraded"}>
                  <b>{t(tone === "alarm" ? "severity.proof" : "severity.degraded")}</b> {said.join(" · ")}{" "}
                  <a class="link" href="/proof">
                    {t("proofline.more")}
                  </a>
                </li>
              )
            );
          })}
        </ul>
      )}
    </>
  );
}

function Said({ answer, href }: { answer: Answer; href: string }) {
  return (
    <a class={`answer ${answer.tone}`} href={href}>
      {answer.text}
    </a>
  );
}
