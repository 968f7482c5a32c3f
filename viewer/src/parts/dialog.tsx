import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { useDoing, Wrong } from "./doing";
import { SteadyButton } from "./steadybutton";
import { t } from "../words/messages";

interface Props {
  title: string;
  children: ComponentChildren;
  /** The word on the button that does it; without one the dialog only tells something. */
  act?: string;
  /** What it does may be regretted: the button says so by its colour too. */
  grave?: boolean;
  /** Whether what was filled in can be taken; true where it is not given. */
  ready?: boolean;
  /** Does it; the dialog stays open where it gives "stay": there is a further step. */
  onAct?: () => Promise<void | "stay">;
  /** Goes back a step, where there is one. */
  onBack?: (() => void) | undefined;
  /** Room for a table. */
  wide?: boolean;
  onClose: () => void;
}

/** A question that must be answered before anything else; the browser's own dialog keeps the focus inside and gives it back. */
export function Dialog({ title, children, act, grave, ready = true, onAct, onBack, wide, onClose }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  const { busy, wrong, run } = useDoing();
  useEffect(() => dialog.current?.showModal(), []);

  const submit = (event: Event) => {
    event.preventDefault();
    void run(async () => {
      if ((await onAct?.()) !== "stay") dialog.current?.close();
    });
  };
  return (
    // The browser says a moment later that it was closed: by then another may stand in its place.
    <dialog ref={dialog} aria-labelledby={heading} onClose={(event) => event.currentTarget.isConnected && onClose()} {...(wide ? { class: "wide-dialog" } : {})}>
      <form onSubmit={submit}>
        <h2 id={heading}>{title}</h2>
        {children}
        <Wrong>{wrong}</Wrong>
        <div class="actions">
          <button type="button" class="btn" onClick={() => dialog.current?.close()}>
            {t(act === undefined ? "dialog.close" : "dialog.cancel")}
          </button>
          {onBack && (
            <SteadyButton class="btn" off={busy} onClick={onBack}>
              {t("swap.back")}
            </SteadyButton>
          )}
          {act !== undefined && (
            <SteadyButton type="submit" class={grave ? "btn grave" : "btn primary"} off={busy} disabled={!ready}>
              {busy ? t("dialog.busy") : act}
            </SteadyButton>
          )}
        </div>
      </form>
    </dialog>
  );
}

interface FieldProps {
  label: string;
  hint?: string;
  value: string;
  required?: boolean;
  most?: number;
  onValue: (value: string) => void;
}

/** A line of text with its label and what to write into it. */
export function Field({ label, hint, value, required, most, onValue }: FieldProps) {
  const id = useId();
  return (
    <p class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        type="text"
        value={value}
        required={required ?? false}
        maxLength={most ?? 200}
        autocomplete="off"
        {...(hint ? { "aria-describedby": `${id}-hint` } : {})}
        onFocus={(event) => event.currentTarget.select()}
        onInput={(event) => onValue(event.currentTarget.value)}
      />
      {hint && (
        <small id={`${id}-hint`} class="hint">
          {hint}
        </small>
      )}
    </p>
  );
}
