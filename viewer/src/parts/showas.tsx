import { useState } from "preact/hooks";
import { showAs } from "../access/session";
import { me } from "../fleet/fleet";
import { t, tx } from "../words/messages";
import { visible } from "../words/text";
import { failureWords } from "./failure";

/** Says on every page that it shows what somebody else sees. */
export function ShowAsNote() {
  const [wrong, setWrong] = useState("");
  const shown = me.value?.show_as;
  if (!shown) return null;
  const stop = () => showAs(null).catch((cause: unknown) => setWrong(failureWords(cause)));
  return (
    <aside class="showas" aria-label={t("showas.label")}>
      <p>{tx("showas.what", { name: <b>{visible(shown.name)}</b> })}</p>
      <button type="button" class="btn small" onClick={() => void stop()}>
        {t("showas.stop")}
      </button>
      {wrong && (
        <span class="failure" role="alert">
          {wrong}
        </span>
      )}
    </aside>
  );
}
