import { Failure, unreachable } from "../api/client";
import { isAway } from "../fleet/store";
import { t, type Key } from "../words/messages";
import { visible } from "../words/text";

/** Refusals that a person meets in forms, in the viewer's own words. */
const refused: Record<string, Key> = {
  "account-shared": "refused.account-shared",
  "code-not-valid": "refused.code-not-valid",
  "no-account": "refused.no-account",
  "not-confirmed": "confirm.not-given",
  "password-elsewhere": "refused.password-elsewhere",
  "password-wrong": "refused.password-wrong",
  "person-may-more": "refused.person-may-more",
  "reason-required": "refused.reason-required",
  "showing-as": "refused.showing-as",
  "sign-in-again": "refused.sign-in-again",
};

/** Says what went wrong and what to do, in the server's words where it gave some. */
export function failureWords(cause: unknown): string {
  if (!(cause instanceof Failure)) return t("failure.viewer");
  if (cause.code === unreachable) return t("failure.unreachable");
  const known = refused[cause.code];
  if (known) return t(known);
  if (cause.code === "not-understood") return t("failure.not-understood");
  if (cause.status === 403) return cause.detail ? visible(cause.detail) : t("failure.forbidden");
  if (cause.detail) return cause.id ? t("failure.with-id", { detail: visible(cause.detail), id: visible(cause.id) }) : visible(cause.detail);
  return cause.id ? t("failure.id", { id: visible(cause.id) }) : t("failure.status", { code: visible(cause.code) });
}

interface NoteProps {
  cause: unknown;
  again?: () => void;
  /** What is said instead while the database is away: what cannot be shown, and that it comes back by itself. */
  away?: Key;
}

/** A failure in place of what could not be loaded, with a way to try again. */
export function FailureNote({ cause, again, away = "gone.page" }: NoteProps) {
  if (isAway(cause)) return <p class="note">{t(away)}</p>;
  return (
    <div class="note failing" role="alert">
      <p>{failureWords(cause)}</p>
      {again && (
        <button type="button" class="btn" onClick={again}>
          {t("failure.again")}
        </button>
      )}
    </div>
  );
}
