import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../words/messages";

/** A secret that is shown this once, to be copied. It is nowhere else in the page, and gone with it. */
export function Once({ label, text, href }: { label: string; text: string; href?: boolean }) {
  const [copied, setCopied] = useState<boolean | null>(null);
  const place = useRef<HTMLElement>(null);
  useEffect(() => place.current?.focus(), []);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
    } catch {
      // Without the right to the clipboard the text is marked, so that it can be copied by hand.
      if (place.current) getSelection()?.selectAllChildren(place.current);
      setCopied(false);
    }
  };
  return (
    <div class="once">
      <code ref={place} tabIndex={0} aria-label={label} role="group" class={href ? "address" : ""}>
        {text}
      </code>
      <p class="act">
        <button type="button" class="btn" onClick={() => void copy()}>
          {t("once.copy")}
        </button>
        <span role="status">{copied === null ? "" : t(copied ? "once.copied" : "once.by-hand")}</span>
      </p>
    </div>
  );
}

/** A link of this server with the address by which the viewer was opened, where the server gave only the way. */
export function wholeLink(link: string): string {
  return new URL(link, location.origin).href;
}
