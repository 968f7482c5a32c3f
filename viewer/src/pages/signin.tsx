import { useState } from "preact/hooks";
import { Comet } from "../parts/comet";
import { signIn } from "../fleet/fleet";
import { failureWords } from "../parts/failure";
import { useTitle } from "../parts/title";
import { t } from "../words/messages";

/** Takes the secret out of what was pasted: the secret itself, or the whole address that the server printed. */
export function secretOf(pasted: string): string {
  return /[#&]first=([^&\s]+)/.exec(pasted)?.[1] ?? pasted.trim();
}

/** Where no session is: says where the secret of the first sign-in lies, and takes it. */
export function SignInPage({ failure }: { failure: string }) {
  const [pasted, setPasted] = useState("");
  const [wrong, setWrong] = useState(failure);
  const [busy, setBusy] = useState(false);
  useTitle(t("signin.title"));
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    try {
      await signIn(secretOf(pasted));
    } catch (cause) {
      setWrong(failureWords(cause));
      setBusy(false);
    }
  };
  return (
    <main class="lonely">
      <p class="brand">
        <Comet />
        {t("app.name")}
      </p>
      <h1>{t("signin.title")}</h1>
      <p>{t("signin.what")}</p>
      <form onSubmit={submit} class="panel">
        <p class="field">
          <label for="secret">{t("signin.secret")}</label>
          <input
            id="secret"
            type="password"
            autocomplete="off"
            required
            value={pasted}
            aria-describedby={wrong ? "wrong" : "where"}
            aria-invalid={wrong !== ""}
            onInput={(event) => setPasted(event.currentTarget.value)}
          />
        </p>
        {wrong && (
          <p id="wrong" class="failure" role="alert">
            {wrong}
          </p>
        )}
        <button type="submit" class="btn primary" disabled={busy}>
          {t("signin.act")}
        </button>
      </form>
      <section id="where" class="where">
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
    </main>
  );
}
