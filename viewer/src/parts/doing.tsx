import type { ComponentChildren } from "preact";
import { useRef, useState } from "preact/hooks";
import { t } from "../words/messages";
import { failureWords } from "./failure";
import { SteadyButton } from "./steadybutton";

/** What a person asked for and that takes a moment: whether it goes on, and what went wrong with it. */
export interface Doing {
  busy: boolean;
  /** "" while nothing went wrong. */
  wrong: string;
  setWrong: (words: string) => void;
  /** Does it, unless something goes on already. Gives whether it was done. */
  run: (work: () => Promise<void>) => Promise<boolean>;
}

/** Keeps what is done one at a time, with words of its own for what goes wrong where a form has some. */
export function useDoing(words: (cause: unknown) => string = failureWords): Doing {
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState("");
  // Two presses may come before the button shows that it is busy.
  const goesOn = useRef(false);
  const run = async (work: () => Promise<void>) => {
    if (goesOn.current) return false;
    goesOn.current = true;
    setBusy(true);
    setWrong("");
    let done = false;
    try {
      await work();
      done = true;
    } catch (cause) {
      setWrong(words(cause));
    }
    goesOn.current = false;
    setBusy(false);
    return done;
  };
  return { busy, wrong, setWrong, run };
}

/** What went wrong, said at once; nothing while nothing did. */
export function Wrong({ children: words }: { children: string }) {
  if (!words) return null;
  return (
    <p class="failure" role="alert">
      {words}
    </p>
  );
}

interface Props {
  /** The word on the button. */
  act: string;
  doing: Pick<Doing, "busy" | "wrong">;
  /** Whether what was filled in can be taken; true where it is not given. */
  ready?: boolean;
  /** What the button does; without it, it sends its form. */
  onAct?: () => void;
  onCancel?: (() => void) | undefined;
  /** What stands beside the buttons. */
  children?: ComponentChildren;
}

/** The last rows of a form: what went wrong, and the buttons. */
export function Act({ act, doing, ready = true, onAct, onCancel, children }: Props) {
  return (
    <>
      <Wrong>{doing.wrong}</Wrong>
      <div class="act">
        <SteadyButton type={onAct ? "button" : "submit"} class="btn primary" off={doing.busy} disabled={!ready} {...(onAct ? { onClick: onAct } : {})}>
          {doing.busy ? t("dialog.busy") : act}
        </SteadyButton>
        {onCancel && (
          <button type="button" class="btn" onClick={onCancel}>
            {t("dialog.cancel")}
          </button>
        )}
        {children}
      </div>
    </>
  );
}
