import { useState } from "preact/hooks";
import { canPasskey } from "../access/passkey";
import { signOut } from "../access/session";
import { me, recognise } from "../fleet/fleet";
import { AuthenticatorSetup, PasskeySetup } from "../parts/factors";
import { failureWords } from "../parts/failure";
import { Lonely } from "../parts/lonely";
import { t } from "../words/messages";
import { visible } from "../words/text";

/** Somebody whose role needs a second factor sets one up before anything else. */
export function EnrolPage() {
  const [way, setWay] = useState<"totp" | "passkey">("totp");
  const done = () => void recognise();
  return (
    <Lonely title={t("account.enrol")} wide>
      <p>{t("account.enrol-what", { name: visible(me.value?.name ?? "") })}</p>
      {canPasskey() && (
        <div class="ranges" role="group" aria-label={t("account.ways")}>
          <button type="button" aria-pressed={way === "totp"} onClick={() => setWay("totp")}>
            {t("account.totp")}
          </button>
          <button type="button" aria-pressed={way === "passkey"} onClick={() => setWay("passkey")}>
            {t("account.passkey")}
          </button>
        </div>
      )}
      <section class="panel" aria-label={t(way === "totp" ? "account.totp" : "account.passkey")}>
        {way === "totp" ? <AuthenticatorSetup onDone={done} /> : <PasskeySetup onDone={done} />}
      </section>
      <SignOutLine />
    </Lonely>
  );
}

/** A way out without doing it. */
export function SignOutLine() {
  const [wrong, setWrong] = useState("");
  return (
    <p class="act below">
      <button type="button" class="btn quiet" onClick={() => void signOut().catch((cause: unknown) => setWrong(failureWords(cause)))}>
        {t("nav.sign-out")}
      </button>
      {wrong && (
        <span class="failure" role="alert">
          {wrong}
        </span>
      )}
    </p>
  );
}
