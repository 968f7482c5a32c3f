import { useId, useState } from "preact/hooks";
import { secretOf } from "../access/entry";
import { loadSignIn, makeFirst } from "../access/session";
import type { SignIn } from "../api/people";
import { useDoing } from "../parts/doing";
import { FailureNote, failureWords } from "../parts/failure";
import { useLoading } from "../parts/loading";
import { Lonely, LonelyForm } from "../parts/lonely";
import { isReady, NewPasswordFields, noPassword, SecretField } from "../parts/passwords";
import { t } from "../words/messages";

interface Props {
  how: SignIn;
  /** What the address brought; "" for nothing. */
  secret: string;
  /** The session was begun with the secret, which is not asked for again. */
  entered?: boolean;
}

/** A session of the first sign-in: all that it may do is make the administrator. */
export function FirstInSession() {
  const { value: how, failure, again } = useLoading(loadSignIn, []);
  if (how) return <FirstPage how={how} secret="" entered />;
  return <Lonely title={t("signin.first-title")}>{failure === undefined ? <p class="soft">{t("app.asking")}</p> : <FailureNote cause={failure} again={again} />}</Lonely>;
}

/** The first start: whoever has the secret that the server wrote down makes the administrator. */
export function FirstPage({ how, secret, entered = false }: Props) {
  const [pasted, setPasted] = useState(secret);
  const [name, setName] = useState("");
  const [fullName, setFullName] = useState("");
  const [passwords, setPasswords] = useState(noPassword);
  const [refused, setRefused] = useState(false);
  const doing = useDoing((cause) => {
    if (isSecretRefused(cause)) setRefused(true);
    return failureWords(cause);
  });
  const id = useId();
  const asks = (secret === "" && !entered) || refused;
  const submit = () => doing.run(() => makeFirst({ ...(pasted.trim() ? { secret: secretOf(pasted) } : {}), name: name.trim(), full_name: fullName.trim(), password: passwords.password }));
  return (
    <Lonely title={t("signin.first-title")}>
      <p>{t("signin.first-what")}</p>
      <LonelyForm act={t("signin.first-act")} doing={doing} ready={isReady(how.password_rule, passwords) && name.trim() !== "" && (!asks || pasted.trim() !== "")} onSubmit={() => void submit()}>
        {asks && <SecretField label={t("signin.secret")} value={pasted} autocomplete="off" invalid={refused} describedBy={`${id}-where`} onValue={setPasted} />}
        <p class="field">
          <label for={id}>{t("signin.name")}</label>
          <input id={id} type="text" value={name} required maxLength={100} autocomplete="username" autocapitalize="none" spellcheck={false} aria-describedby={`${id}-hint`} onInput={(event) => setName(event.currentTarget.value)} />
          <small id={`${id}-hint`} class="hint">
            {t("signin.name-hint")}
          </small>
        </p>
        <p class="field">
          <label for={`${id}-full`}>{t("signin.full-name")}</label>
          <input id={`${id}-full`} type="text" value={fullName} maxLength={200} autocomplete="name" onInput={(event) => setFullName(event.currentTarget.value)} />
        </p>
        <NewPasswordFields rule={how.password_rule} value={passwords} onValue={setPasswords} />
      </LonelyForm>
      {asks && <Where id={`${id}-where`} />}
    </Lonely>
  );
}

function isSecretRefused(cause: unknown): boolean {
  return cause instanceof Error && "code" in cause && cause.code === "secret-not-valid";
}

/** Where the server wrote the secret down. */
function Where({ id }: { id: string }) {
  return (
    <section id={id} class="where">
      <h2>{t("signin.where")}</h2>
      <dl>
        <dt>{t("signin.by-hand")}</dt>
        <dd>
          <code>halley-data/first-sign-in.txt</code>
        </dd>
        <dt>{t("signin.linux")}</dt>
        <dd>
          <code>/var/lib/halley/first-sign-in.txt</code>
        </dd>
        <dt>{t("signin.windows")}</dt>
        <dd>
          <code>%ProgramData%\Halley\first-sign-in.txt</code>
        </dd>
      </dl>
      <p>
        {t("signin.once")} <code>halley user first</code>
      </p>
    </section>
  );
}
