import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";

/** What a screen reader is to say, once, without moving the focus. */
const said = signal("");

export function announce(text: string): void {
  said.value = text;
}

/** Says a sentence of the page again whenever it changes, but not more often than a person can listen. */
export function useAnnounced(text: string): void {
  useEffect(() => {
    const timer = setTimeout(() => announce(text), 2_000);
    return () => clearTimeout(timer);
  }, [text]);
}

/** The place in the page that screen readers listen to. */
export function Announcer() {
  return (
    <div class="unseen" role="status" aria-live="polite">
      {said}
    </div>
  );
}
