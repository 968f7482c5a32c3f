import { useId, useRef, useState } from "preact/hooks";
import { attestationOf, canPasskey, creationOptions, PasskeyRefused } from "../access/passkey";
import { ask } from "../api/client";
import type { Authenticator } from "../api/people";
import { me, serverNow } from "../fleet/fleet";
import { date } from "../words/format";
import { t } from "../words/messages";
import { visible } from "../words/text";
import { Dialog } from "./dialog";
import { Act, useDoing } from "./doing";
import { failureWords } from "./failure";
import { focused } from "./focus";
import { save, stamp } from "./save";

/** Sets up an authenticator app: its secret as a picture and as text, a code to show that it works, and codes to keep. */
export function AuthenticatorSetup({ onDone, onCancel }: { onDone: () => void; onCancel?: () => void }) {
  const [made, setMade] = useState<Authenticator | null>(null);
  const [kept, setKept] = useState<string[] | null>(null);
  const [code, setCode] = useState("");
  const doing = useDoing();
  const id = useId();
  const begin = () => doing.run(async () => setMade(await ask<Authenticator>("/me/totp", { method: "POST", body: {} })));
  const confirm = (event: Event) => {
    event.preventDefault();
    void doing.run(async () => {
      const answer = await ask<{ recovery_codes: string[] }>("/me/totp/confirmation", { method: "POST", body: { code: code.trim() }, enters: true });
      setMade(null);
      setKept(answer.recovery_codes);
    });
  };
  if (kept) return <RecoveryCodes codes={kept} onDone={onDone} />;
  if (!made)
    return (
      <div class="setup">
        <p>{t("account.totp-what")}</p>
        <Act act={t("account.totp-begin")} doing={doing} onAct={() => void begin()} onCancel={onCancel} />
      </div>
    );
  return (
    <form class="setup" onSubmit={confirm}>
      <p>{t("account.totp-scan")}</p>
      <div class="scan">
        <img src={made.qr} alt={t("account.qr")} width={198} height={198} />
        <p>
          {t("account.totp-text")}
          <code class="grouped">{made.secret.replace(/(.{4})(?=.)/g, "$1 ")}</code>
        </p>
      </div>
      <p class="field">
        <label for={id}>{t("account.totp-code")}</label>
        <input id={id} class="code" type="text" inputMode="numeric" autocomplete="one-time-code" required maxLength={10} ref={focused} value={code} aria-invalid={doing.wrong !== ""} onInput={(event) => setCode(event.currentTarget.value)} />
      </p>
      <Act act={t("account.totp-confirm")} doing={doing} onCancel={onCancel} />
    </form>
  );
}

/** The codes for when the authenticator or the passkey is lost, shown this once. */
export function RecoveryCodes({ codes, onDone }: { codes: string[]; onDone: () => void }) {
  const [kept, setKept] = useState(false);
  const [copied, setCopied] = useState(false);
  const id = useId();
  const heading = t("account.codes-file", { name: me.value?.name ?? "", at: date(serverNow()) });
  const text = `${heading}\n\n${codes.join("\n")}\n`;
  return (
    <div class="setup printed">
      <h2 tabIndex={-1} ref={focused}>
        {t("account.codes-new")}
      </h2>
      <p>{t("account.codes-what")}</p>
      <p class="print-only">{visible(heading)}</p>
      <ul class="codes" aria-label={t("account.codes")}>
        {codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ul>
      <p class="act">
        <button type="button" class="btn" onClick={() => print()}>
          {t("account.codes-print")}
        </button>
        <button type="button" class="btn" onClick={() => save(new Blob([text], { type: "text/plain" }), `halley-recovery-codes-${stamp(serverNow())}.txt`)}>
          {t("account.codes-save")}
        </button>
        {"clipboard" in navigator && (
          <button type="button" class="btn" onClick={() => void navigator.clipboard.writeText(codes.join("\n")).then(() => setCopied(true), () => setCopied(false))}>
            {t(copied ? "once.copied" : "once.copy")}
          </button>
        )}
      </p>
      <p class="check">
        <input id={id} type="checkbox" checked={kept} onChange={(event) => setKept(event.currentTarget.checked)} />
        <label for={id}>{t("account.codes-kept")}</label>
      </p>
      <p class="act">
        <button type="button" class="btn primary" disabled={!kept} onClick={onDone}>
          {t("account.done")}
        </button>
      </p>
    </div>
  );
}

/** Asks whether new recovery codes are to be made, and gives them once it is closed: they take the focus, which it gives back while it closes. */
export function RenewDialog({ onClose }: { onClose: (made: string[] | null) => void }) {
  const made = useRef<string[] | null>(null);
  const renew = async () => {
    made.current = (await ask<{ recovery_codes: string[] }>("/me/recovery-codes", { method: "POST", body: {} })).recovery_codes;
  };
  return (
    <Dialog title={t("account.codes-renew-title")} act={t("account.codes-renew-act")} onAct={renew} onClose={() => onClose(made.current)}>
      <p>{t("account.codes-renew-what")}</p>
    </Dialog>
  );
}

/** Adds a passkey of this device or of a security key. */
export function PasskeySetup({ onDone, onCancel }: { onDone: () => void; onCancel?: () => void }) {
  const [name, setName] = useState("");
  const doing = useDoing((cause) => (cause instanceof PasskeyRefused ? t("account.passkey-failed") : failureWords(cause)));
  const id = useId();
  const submit = (event: Event) => {
    event.preventDefault();
    void doing.run(async () => {
      const options = await ask<unknown>("/me/passkeys/options", { method: "POST", body: {} });
      const credential = await attestationOf(creationOptions(options));
      await ask("/me/passkeys", { method: "POST", body: { name: name.trim(), credential } });
      onDone();
    });
  };
  if (!canPasskey()) return <p class="soft">{t("account.passkey-cannot")}</p>;
  return (
    <form class="setup" onSubmit={submit}>
      <p>{t("account.passkey-what")}</p>
      <p class="field">
        <label for={id}>{t("account.passkey-name")}</label>
        <input id={id} type="text" required maxLength={100} autocomplete="off" value={name} aria-describedby={`${id}-hint`} onInput={(event) => setName(event.currentTarget.value)} />
        <small id={`${id}-hint`} class="hint">
          {t("account.passkey-name-hint")}
        </small>
      </p>
      <Act act={t("account.passkey-add")} doing={doing} onCancel={onCancel} />
    </form>
  );
}
