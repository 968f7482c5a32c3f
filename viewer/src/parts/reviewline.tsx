import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { ask } from "../api/client";
import type { ReviewList } from "../api/people";
import { may, me, returns } from "../fleet/fleet";
import { readable } from "../fleet/store";
import { date, millis } from "../words/format";
import { t } from "../words/messages";

// When the audit trail was reviewed last, for the first page. It is asked for seldom, for it changes seldom.

const known = signal<{ list: ReviewList; at: number } | null>(null);
const freshFor = 5 * 60_000;
/** The values and their curves come first. */
const afterAll = 2_500;

/** What is known has changed: it is asked for anew. */
export function forgetReview(): void {
  known.value = null;
}

/** Says on the first page's line up to when the audit trail has been reviewed. */
export function ReviewLine() {
  const wanted = may("audit.read") && readable.value;
  useEffect(() => {
    if (!wanted) return;
    const gone = new AbortController();
    const load = async () => {
      if (known.peek() && Date.now() - (known.peek()?.at ?? 0) < freshFor) return;
      try {
        known.value = { list: await ask<ReviewList>("/audit/reviews", { signal: gone.signal }), at: Date.now() };
      } catch {
        // What cannot be had is left out of the line; the audit trail's own page says why.
      }
    };
    const soon = setTimeout(() => void load(), known.peek() ? 0 : afterAll);
    const often = setInterval(() => void load(), 60_000);
    return () => {
      gone.abort();
      clearTimeout(soon);
      clearInterval(often);
    };
  }, [wanted, me.value?.name, returns.value]);
  const list = known.value?.list;
  if (!wanted || !list) return null;
  const at = millis(list.reviews[0]?.at);
  // Nobody need be told of a review where nobody reviews.
  if (at === null && !may("audit.review")) return null;
  return (
    <span class="reviewline">
      <a class="answer" href="/audit">
        {at === null ? t("audit.line-never") : t("audit.line", { at: date(at) })}
      </a>
    </span>
  );
}
