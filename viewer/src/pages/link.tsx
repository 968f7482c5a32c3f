import { useState } from "preact/hooks";
import { entry } from "../access/entry";
import { loadSignIn, lookAtLink, secondStepAfter, signInByName, useLink as takeLink, type SecondStep } from "../access/session";
import type { Link, SignIn } from "../api/people";
import { useDoing } from "../parts/doing";
import { failureWords } from "../parts/failure";
import { useLoading } from "../parts/loading";
import { Lonely, LonelyForm } from "../parts/lonely";
import { isReady, NewPasswordFields, noPassword } from "../parts/passwords";
import { instant, millis } from "../words/format";
import { t } from "../words/messages";
import { visible } from "../words/text";
import { SecondStepPage } from "./signin";

const leave = () => (entry.value = null);

/** Somebody followed a link: an invitation, or for a new password. */
export function LinkPage({ secret }: { secret: string }) {
  const { value, failure } = useLoading(async (signal) => {
    const [link, how] = await Promise.all([lookAtLink(secret, signal), loadSignIn(signal)]);
    return { link, how };
  }, [secret]);
  if (value) return <Chosen secret={secret} link={value.link} how={value.how} />;
  return (
    <Lonely title={t("signin.link-title")}>
      {failure === undefined ? (
        <p class="soft">{t("app.asking")}</p>
      ) : (
        <>
          <p class="note failing" role="alert">
            {failureWords(failure)}
          </p>
          <p class="act">
            <button type="button" class="btn" onClick={leave}>
              {t("signin.to-sign-in")}
            </button>
          </p>
        </>
      )}
    </Lonely>
  );
}

function Chosen({ secret, link, how }: { secret: string; link: Link; how: SignIn }) {
  const [passwords, setPasswords] = useState(noPassword);
  const doing = useDoing();
  const [step, setStep] = useState<SecondStep | null>(null);
  const until = millis(link.until);
  const submit = () => doing.run(async () => setStep(await secondStepAfter(takeLink(secret, passwords.password))));
  if (step)
    return (
      <SecondStepPage
        step={step}
        onCode={(code) => signInByName(link.name, passwords.password, code)}
        onBack={leave}
      />
    );
  return (
    <Lonely title={t(link.purpose === "invite" ? "signin.invited" : "signin.reset")}>
      <p>{t(link.purpose === "invite" ? "signin.invited-what" : "signin.reset-what", { name: visible(link.name) })}</p>
      {until !== null && <p class="soft">{t("signin.link-until", { at: instant(until, false) })}</p>}
      <LonelyForm act={t("signin.link-act")} doing={doing} ready={isReady(how.password_rule, passwords)} onSubmit={() => void submit()}>
        <input type="text" class="unseen" tabIndex={-1} aria-hidden="true" readOnly autocomplete="username" value={link.name} />
        <NewPasswordFields rule={how.password_rule} value={passwords} onValue={setPasswords} />
      </LonelyForm>
    </Lonely>
  );
}
