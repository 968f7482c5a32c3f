import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../words/messages";
import { Comet } from "./comet";
import { Act, type Doing } from "./doing";
import { useTitle } from "./title";

/** A page without the rest of the viewer: before somebody is signed in, and while something must be done first. */
export function Lonely({ title, wide, children }: { title: string; wide?: boolean; children: ComponentChildren }) {
  useTitle(title);
  const heading = useRef<HTMLHeadingElement>(null);
  const first = useRef(true);
  // Where one step takes the place of another, a screen reader begins at its heading.
  useEffect(() => {
    if (!first.current) heading.current?.focus({ preventScroll: true });
    first.current = false;
  }, [title]);
  return (
    <main class={wide ? "lonely wide-one" : "lonely"}>
      <p class="brand">
        <Comet />
        {t("app.name")}
      </p>
      <h1 tabIndex={-1} ref={heading}>
        {title}
      </h1>
      {children}
    </main>
  );
}

interface FormProps {
  act: string;
  doing: Pick<Doing, "busy" | "wrong">;
  ready?: boolean;
  children?: ComponentChildren;
  /** What stands beside the button. */
  beside?: ComponentChildren;
  onSubmit: () => void;
}

/** A form on such a page, with what went wrong above its button. */
export function LonelyForm({ act, doing, ready = true, children, beside, onSubmit }: FormProps) {
  const submit = (event: Event) => {
    event.preventDefault();
    if (!doing.busy && ready) onSubmit();
  };
  return (
    <form onSubmit={submit} class="panel">
      {children}
      <Act act={act} doing={doing} ready={ready}>
        {beside}
      </Act>
    </form>
  );
}
