import { asOf, may, status } from "../fleet/fleet";
import { writable } from "../fleet/store";
import { path } from "../router";
import { storeNote } from "../words/store";
import { t } from "../words/messages";

/** Says on every page that the database is away, read-only or full: what that costs, and what goes on. */
export function StoreNote() {
  const s = status.value;
  const [first, ...more] = s ? storeNote(s, asOf.value) : [];
  if (first === undefined) return null;
  return (
    <p class={writable.value ? "note storenote" : "note storenote wanting"} role="status">
      {more.length > 0 ? <b>{first}</b> : first} {more.join(" ")}{" "}
      {!writable.value && may("server.read") && path.value !== "/server" && (
        <a class="link" href="/server">
          {t("storenote.more")}
        </a>
      )}
    </p>
  );
}
