import { useEffect, useRef } from "preact/hooks";
import { left, stay, watchIdle } from "../access/idle";
import { signOut, signOutIdle } from "../access/session";
import { me } from "../fleet/fleet";
import { t } from "../words/messages";

/** Signs out after so long without activity, with a warning before. */
export function Idle() {
  const minutes = me.value?.kind === "session" ? me.value.sign_out_minutes : 0;
  useEffect(() => (minutes > 0 ? watchIdle(minutes, signOutIdle) : undefined), [minutes]);
  return left.value === null ? null : <Warning />;
}

function Warning() {
  const dialog = useRef<HTMLDialogElement>(null);
  const staying = useRef<HTMLButtonElement>(null);
  const seconds = left.value ?? 0;
  useEffect(() => {
    const shown = dialog.current;
    const before = document.activeElement;
    shown?.showModal();
    // Whoever presses a key without looking stays.
    staying.current?.focus();
    // Another tab may answer, so that the browser, which gives the focus back where a dialog is closed, finds none to close.
    return () => {
      shown?.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  // What fails is said by the page: the server cannot be reached, or has ended the session.
  const go = () => void stay().catch(() => undefined);
  return (
    <dialog
      ref={dialog}
      aria-labelledby="idle-title"
      aria-describedby="idle-what"
      onCancel={(event) => {
        event.preventDefault();
        go();
      }}
    >
      <h2 id="idle-title">{t("idle.title")}</h2>
      <p id="idle-what">{t("idle.what")}</p>
      <p class="countdown" aria-hidden="true">
        {t("idle.left", { n: seconds })}
      </p>
      <p class="unseen" role="timer" aria-live="assertive">
        {seconds % 15 === 0 ? t("idle.left", { n: seconds }) : ""}
      </p>
      <div class="actions">
        <button type="button" class="btn" onClick={() => void signOut().catch(() => undefined)}>
          {t("nav.sign-out")}
        </button>
        <button type="button" class="btn primary" ref={staying} onClick={go}>
          {t("idle.stay")}
        </button>
      </div>
    </dialog>
  );
}
