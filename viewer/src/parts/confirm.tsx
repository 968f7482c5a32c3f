import { signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { secondStepOf } from "../access/session";
import { ask, confirmation } from "../api/client";
import { recognise } from "../fleet/fleet";
import { t } from "../words/messages";
import { Dialog, Field } from "./dialog";
import { SecretField } from "./passwords";

/** Who waits for the password to be given again. */
const waiting = signal<((given: boolean) => void) | null>(null);
let asked: Promise<boolean> | null = null;

/** Asks once, however many changes wait for it. */
function askAgain(): Promise<boolean> {
  asked ??= new Promise<boolean>((answer) => (waiting.value = answer)).finally(() => {
    asked = null;
    waiting.value = null;
  });
  return asked;
}

/** Asks for the password again before a grave change, over whatever dialog wants to make it. */
export function Confirmation() {
  useEffect(() => {
    confirmation.ask = askAgain;
    return () => {
      waiting.peek()?.(false);
      confirmation.ask = null;
    };
  }, []);
  const answer = waiting.value;
  return answer && <ConfirmDialog answer={answer} />;
}

function ConfirmDialog({ answer }: { answer: (given: boolean) => void }) {
  const [password, setPassword] = useState("");
  const [code, setCode] = useState<string | null>(null);
  const given = useRef(false);
  const act = async () => {
    try {
      await ask("/me/confirmation", { method: "POST", body: { password, ...(code ? { code: code.trim() } : {}) }, enters: true });
    } catch (cause) {
      if (secondStepOf(cause) && code === null) setCode("");
      throw cause;
    }
    given.current = true;
    void recognise();
  };
  return (
    <Dialog title={t("confirm.title")} act={t("confirm.act")} onAct={act} onClose={() => answer(given.current)}>
      <p>{t("confirm.what")}</p>
      <SecretField label={t("signin.password")} value={password} autocomplete="current-password" takesFocus onValue={setPassword} />
      {code !== null && <Field label={t("signin.code")} value={code} onValue={setCode} required most={40} />}
    </Dialog>
  );
}
