import { useState } from "preact/hooks";
import { t } from "../words/messages";
import { indented, visibleBody } from "../words/text";

/** A body as a device sent it: indented for reading where it is JSON or XML, exact on request. */
export function Body({ body, label }: { body: string; label: string }) {
  const [exact, setExact] = useState(false);
  const [copied, setCopied] = useState(false);
  const pretty = indented(body);
  const copy = async () => {
    await navigator.clipboard.writeText(body);
    setCopied(true);
  };
  return (
    <div class="body">
      <div class="top">
        {pretty !== null && (
          <button type="button" class="btn small" aria-pressed={exact} onClick={() => setExact(!exact)}>
            {t("body.exact")}
          </button>
        )}
        {"clipboard" in navigator && (
          <button type="button" class="btn small" onClick={() => void copy().catch(() => setCopied(false))}>
            {copied ? t("body.copied") : t("body.copy")}
          </button>
        )}
      </div>
      <pre tabIndex={0} role="group" aria-label={label}>
        <code>{visibleBody(exact || pretty === null ? body : pretty)}</code>
      </pre>
    </div>
  );
}
