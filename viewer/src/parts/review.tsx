import { useState } from "preact/hooks";
import { ask } from "../api/client";
import type { ReviewList } from "../api/people";
import { may } from "../fleet/fleet";
import { date, instant, millis } from "../words/format";
import { t } from "../words/messages";
import { visible } from "../words/text";
import { announce } from "./announce";
import { Dialog, Field } from "./dialog";
import { FailureNote } from "./failure";
import { useLoading } from "./loading";
import { forgetReview } from "./reviewline";

/** As many former reviews as are listed. */
const mostShown = 12;

/** How far the audit trail has been reviewed, by whom, and how much has come since; the newest entry can be marked. */
export function Reviews({ newest }: { newest: number | null }) {
  const list = useLoading((signal) => ask<ReviewList>("/audit/reviews", { signal }), []);
  const [marks, setMarks] = useState<number | null>(null);
  const last = list.value?.reviews[0];
  const at = millis(last?.at);
  return (
    <section class="panel review" aria-labelledby="review">
      <div class="top">
        <h2 id="review">{t("audit.review")}</h2>
        {may("audit.review") && newest !== null && newest !== last?.up_to && (
          <div class="buttons">
            <button type="button" class="btn small" onClick={() => setMarks(newest)}>
              {t("audit.review-mark")}
            </button>
          </div>
        )}
      </div>
      {list.failure !== undefined && <FailureNote cause={list.failure} again={list.again} away="gone.audit" />}
      {list.value && (
        <p>
          {last && at !== null ? t("audit.review-last", { at: instant(at, false), who: visible(last.who), n: last.up_to }) : t("audit.review-never")} <span class="soft">{sinceWords(list.value.unreviewed)}</span>
        </p>
      )}
      {list.value && list.value.reviews.length > 0 && (
        <details>
          <summary>{t("audit.reviews")}</summary>
          <ul class="plain entries">
            {list.value.reviews.slice(0, mostShown).map((r) => {
              const done = millis(r.at);
              return (
                <li key={r.id}>
                  <div>
                    {done !== null && date(done)} <bdi>{visible(r.who)}</bdi> <span class="soft">{t("audit.review-up-to", { n: r.up_to })}</span>
                    {r.note && (
                      <small class="cell soft">
                        <bdi>{visible(r.note)}</bdi>
                      </small>
                    )}
                  </div>
                </li>
              );
            })}
          </ul>
        </details>
      )}
      {marks !== null && <ReviewDialog upTo={marks} onDone={list.again} onClose={() => setMarks(null)} />}
    </section>
  );
}

/** The most acts that the server counts. */
const mostCounted = 10_000;

function sinceWords(n: number): string {
  return n >= mostCounted ? t("audit.unreviewed-many", { n: mostCounted }) : t("audit.unreviewed", { n });
}

function ReviewDialog({ upTo, onDone, onClose }: { upTo: number; onDone: () => void; onClose: () => void }) {
  const [note, setNote] = useState("");
  const act = async () => {
    await ask("/audit/reviews", { method: "POST", body: { up_to: upTo, note: note.trim() } });
    forgetReview();
    announce(t("audit.review-done"));
    onDone();
  };
  return (
    <Dialog title={t("audit.review-title")} act={t("audit.review-act")} onAct={act} onClose={onClose}>
      <p>{t("audit.review-what", { n: upTo })}</p>
      <Field label={t("audit.review-note")} value={note} most={1000} onValue={setNote} />
    </Dialog>
  );
}
