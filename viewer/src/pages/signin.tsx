import { useEffect, useId, useState } from "preact/hooks";
import { canPasskey, PasskeyRefused } from "../access/passkey";
import { ended, forgetPassword, issuerAddress, loadSignIn, secondStepAfter, signInByName, signInByPasskey, type SecondStep } from "../access/session";
import type { SignIn } from "../api/people";
import { useDoing } from "../parts/doing";
import { FailureNote, failureWords } from "../parts/failure";
import { focused } from "../parts/focus";
import { useLoading } from "../parts/loading";
import { Lonely, LonelyForm } from "../parts/lonely";
import { SecretField } from "../parts/passwords";
import { t, type Key } from "../words/messages";
import { visible } from "../words/text";
import { FirstPage } from "./first";

/** Where no session is: asks who comes. */
export function SignInPage({ failure }: { failure: string }) {
  const { value: how, failure: trouble, again } = useLoading(loadSignIn, []);
  if (!how)
    return (
      <Lonely title={t("signin.title")}>
        {trouble === undefined ? <p class="soft">{t("app.asking")}</p> : <FailureNote cause={trouble} again={again} />}
      </Lonely>
    );
  return how.first ? <FirstPage how={how} secret="" /> : <Names how={how} failure={failure} />;
}

/** Why nobody is signed in, where it happened by itself. */
function endWords(): string {
  switch (ended.value) {
    case "idle":
      return t("signin.ended-idle");
    case "server":
      return t("signin.ended");
    case "":
      return "";
  }
}

function Names({ how, failure }: { how: SignIn; failure: string }) {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const doing = useDoing();
  const [step, setStep] = useState<SecondStep | null>(null);
  const [forgot, setForgot] = useState(false);
  const id = useId();
  useEffect(() => doing.setWrong(failure), [failure]);
  const submit = () => doing.run(async () => setStep(await secondStepAfter(signInByName(name.trim(), password))));
  const back = () => {
    setStep(null);
    setPassword("");
  };
  if (step) return <SecondStepPage step={step} onCode={(code) => signInByName(name.trim(), password, code)} onBack={back} />;
  if (forgot) return <ForgotPage name={name} onBack={() => setForgot(false)} />;
  return (
    <Lonely title={t("signin.title")}>
      {endWords() && (
        <p class="note" role="status">
          {endWords()}
        </p>
      )}
      {how.oidc.length > 0 && (
        <ul class="issuers">
          {how.oidc.map((issuer) => (
            <li key={issuer.id}>
              <a class="btn" href={issuerAddress(issuer.id)}>
                {t("signin.issuer", { name: visible(issuer.name) })}
              </a>
            </li>
          ))}
        </ul>
      )}
      <LonelyForm
        act={t("signin.act")}
        doing={doing}
        onSubmit={() => void submit()}
        beside={
          how.reset_by_mail && (
            <button type="button" class="btn quiet" onClick={() => setForgot(true)}>
              {t("signin.forgot")}
            </button>
          )
        }
      >
        <p class="field">
          <label for={id}>{t("signin.name")}</label>
          <input id={id} type="text" value={name} required maxLength={100} autocomplete="username" autocapitalize="none" spellcheck={false} ref={focused} onInput={(event) => setName(event.currentTarget.value)} />
        </p>
        <SecretField label={t("signin.password")} value={password} autocomplete="current-password" invalid={doing.wrong !== ""} onValue={setPassword} />
      </LonelyForm>
      {!how.reset_by_mail && <p class="soft below">{t("signin.forgot-ask")}</p>}
    </Lonely>
  );
}

interface StepProps {
  step: SecondStep;
  onCode: (code: string) => Promise<void>;
  onBack: () => void;
}

/** After name and password: the code of an authenticator, a passkey, or one of the codes kept for when these are lost. */
export function SecondStepPage({ step, onCode, onBack }: StepProps) {
  const passkeys = step.factors.includes("passkey") && canPasskey();
  const [way, setWay] = useState<"passkey" | "totp" | "recovery">(passkeys ? "passkey" : step.factors.includes("totp") ? "totp" : "recovery");
  const [code, setCode] = useState("");
  const doing = useDoing((cause) => (cause instanceof PasskeyRefused ? t("signin.passkey-failed") : failureWords(cause)));
  const id = useId();
  const submit = async () => {
    if (!(await doing.run(() => (way === "passkey" ? signInByPasskey(step) : onCode(code.trim()))))) setCode("");
  };
  const others = (["passkey", "totp", "recovery"] as const).filter((w) => w !== way && (w === "passkey" ? passkeys : step.factors.includes(w)));
  return (
    <Lonely title={t("signin.second")}>
      <LonelyForm act={t(way === "passkey" ? "signin.use-passkey" : "signin.act")} doing={doing} onSubmit={() => void submit()}>
        {way === "passkey" ? (
          <p>{t("signin.passkey-what")}</p>
        ) : (
          <p class="field">
            <label for={id}>{t(way === "totp" ? "signin.code" : "signin.recovery")}</label>
            <input
              key={way}
              id={id}
              class="code"
              type="text"
              inputMode={way === "totp" ? "numeric" : "text"}
              autocomplete={way === "totp" ? "one-time-code" : "off"}
              maxLength={40}
              required
              ref={focused}
              value={code}
              aria-invalid={doing.wrong !== ""}
              aria-describedby={`${id}-hint`}
              onInput={(event) => setCode(event.currentTarget.value)}
            />
            <small id={`${id}-hint`} class="hint">
              {t(way === "totp" ? "signin.code-hint" : "signin.recovery-hint")}
            </small>
          </p>
        )}
      </LonelyForm>
      <p class="act below">
        {others.map((w) => (
          <button key={w} type="button" class="btn quiet" onClick={() => setWay(w)}>
            {t(wayKeys[w])}
          </button>
        ))}
        <button type="button" class="btn quiet" onClick={onBack}>
          {t("signin.back")}
        </button>
      </p>
    </Lonely>
  );
}

const wayKeys: Record<"passkey" | "totp" | "recovery", Key> = { passkey: "signin.use-passkey", totp: "signin.use-code", recovery: "signin.use-recovery" };

/** Has a link sent by e-mail. Whether there is such an account is not said. */
function ForgotPage({ name, onBack }: { name: string; onBack: () => void }) {
  const [who, setWho] = useState(name);
  const [sent, setSent] = useState(false);
  const doing = useDoing();
  const id = useId();
  const submit = () =>
    doing.run(async () => {
      await forgetPassword(who.trim());
      setSent(true);
    });
  return (
    <Lonely title={t("signin.forgot")}>
      {sent ? (
        <p class="note" role="status">
          {t("signin.forgot-sent")}
        </p>
      ) : (
        <LonelyForm act={t("signin.forgot-act")} doing={doing} onSubmit={() => void submit()}>
          <p class="field">
            <label for={id}>{t("signin.name")}</label>
            <input id={id} type="text" value={who} required maxLength={100} autocomplete="username" autocapitalize="none" ref={focused} onInput={(event) => setWho(event.currentTarget.value)} />
          </p>
        </LonelyForm>
      )}
      <p class="act below">
        <button type="button" class="btn quiet" onClick={onBack}>
          {t("signin.back")}
        </button>
      </p>
    </Lonely>
  );
}
