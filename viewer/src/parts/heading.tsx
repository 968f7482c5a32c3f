import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

// After a change of page a screen reader begins at its heading, as after loading one. A page that must load something
// may have two headings in turn; until the person does something, the newer one takes the focus.

let wanted = false;

/** The next heading that appears takes the focus. */
export function wantHeading(): void {
  wanted = true;
}

/** Leaves the focus alone once a person has done something. Gives what ends it. */
export function watchHands(): () => void {
  const rest = () => void (wanted = false);
  addEventListener("keydown", rest, true);
  addEventListener("pointerdown", rest, true);
  return () => {
    removeEventListener("keydown", rest, true);
    removeEventListener("pointerdown", rest, true);
  };
}

/** The heading of a page. */
export function Heading({ children }: { children: ComponentChildren }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (wanted) heading.current?.focus({ preventScroll: true });
  }, []);
  return (
    <h1 tabIndex={-1} ref={heading}>
      {children}
    </h1>
  );
}
