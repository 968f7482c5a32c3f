import { useId, useState } from "preact/hooks";
import { isGood, needsOf, type Need } from "../access/password";
import type { PasswordRule } from "../api/people";
import { t, type Key } from "../words/messages";
import { focused } from "./focus";

interface SecretProps {
  label: string;
  value: string;
  autocomplete: "current-password" | "new-password" | "one-time-code" | "off";
  /** Id of what explains it. */
  describedBy?: string | undefined;
  invalid?: boolean;
  takesFocus?: boolean;
  /** Whether it stands in sight; where it is not given, the field has a button of its own for that. */
  shown?: boolean;
  onValue: (value: string) => void;
}

/** A line for a secret, which can be shown. */
export function SecretField({ label, value, autocomplete, describedBy, invalid, takesFocus, shown, onValue }: SecretProps) {
  const id = useId();
  const [own, setOwn] = useState(false);
  const isShown = shown ?? own;
  const attributes = {
    id,
    value,
    required: true,
    maxLength: 1000,
    autocomplete,
    autocapitalize: "none" as const,
    spellcheck: false,
    ...(takesFocus ? { ref: focused } : {}),
    "aria-invalid": invalid ?? false,
    ...(describedBy ? { "aria-describedby": describedBy } : {}),
    onInput: (event: { currentTarget: HTMLInputElement }) => onValue(event.currentTarget.value),
  };
  return (
    <div class="field secret">
      <label for={id}>{label}</label>
      <span class="line">
        {isShown ? <input type="text" {...attributes} /> : <input type="password" {...attributes} />}
        {shown === undefined && (
          <button type="button" class="btn" aria-pressed={own} onClick={() => setOwn(!own)}>
            {t("signin.show")}
          </button>
        )}
      </span>
    </div>
  );
}

const needKeys: Record<Need, Key> = {
  length: "signin.need-length",
  digit: "signin.need-digit",
  upper: "signin.need-upper",
  lower: "signin.need-lower",
  special: "signin.need-special",
};

export interface NewPassword {
  password: string;
  again: string;
}

export const noPassword: NewPassword = { password: "", again: "" };

/** Whether a new password has all that is asked for, and was written twice alike. */
export function isReady(rule: PasswordRule, value: NewPassword): boolean {
  return isGood(rule, value.password) && value.password === value.again;
}

/** A new password, twice, with what it must have, checked as it is written. */
export function NewPasswordFields({ rule, value, onValue }: { rule: PasswordRule; value: NewPassword; onValue: (value: NewPassword) => void }) {
  const id = useId();
  const [shown, setShown] = useState(false);
  const differs = value.again !== "" && value.again !== value.password;
  return (
    <>
      <SecretField label={t("signin.new-password")} value={value.password} autocomplete="new-password" shown={shown} describedBy={id} onValue={(password) => onValue({ ...value, password })} />
      <ul id={id} class="needs">
        {needsOf(rule, value.password).map(({ need, met }) => (
          <li key={need} class={met ? "met" : ""}>
            <span aria-hidden="true" class="mark" />
            {t(needKeys[need], { n: rule.length })}
            <span class="unseen">{t(met ? "signin.met" : "signin.unmet")}</span>
          </li>
        ))}
      </ul>
      <SecretField label={t("signin.again")} value={value.again} autocomplete="new-password" shown={shown} describedBy={`${id}-differs`} invalid={differs} onValue={(again) => onValue({ ...value, again })} />
      <p id={`${id}-differs`} class="hint" role="status">
        {differs ? t("signin.differs") : ""}
      </p>
      <p class="check">
        <input id={`${id}-show`} type="checkbox" checked={shown} onChange={(event) => setShown(event.currentTarget.checked)} />
        <label for={`${id}-show`}>{t("signin.show-passwords")}</label>
      </p>
    </>
  );
}
