import type { ComponentChildren } from "preact";

interface Props {
  /** Whether it does nothing for now: what it began goes on, or there is nothing further. */
  off: boolean;
  class: string;
  children: ComponentChildren;
  /** The button of a form sends the form; another one says what it does. */
  type?: "button" | "submit";
  onClick?: () => void;
  /** Not to be had at all, for what was filled in does not do. */
  disabled?: boolean;
  "aria-label"?: string;
  title?: string;
}

/**
 * A button that is off for a while. It keeps the focus and its place in the order of the Tab key, which a disabled one loses:
 * whoever works by keys stays where they are, and comes by it also while something is loading.
 */
export function SteadyButton({ off, type = "button", onClick, children, ...rest }: Props) {
  const act = (event: Event) => {
    if (off) event.preventDefault();
    else onClick?.();
  };
  return (
    <button {...rest} type={type} {...(off ? { "aria-disabled": true } : {})} onClick={act}>
      {children}
    </button>
  );
}
