import { useEffect, useId, useRef, useState } from "preact/hooks";
import { places } from "../fleet/places";
import { may } from "../fleet/fleet";
import { t } from "../words/messages";
import { everything, highestOf } from "./nodes";
import { choice, choose, nodeName, tree, treeLoaded } from "./tree";
import { TreeSearch } from "./search";

/** The button in the header that says which organization is shown, and opens the tree of them. */
export function OrganizationPicker() {
  const [open, setOpen] = useState(false);
  const { id, sub } = choice.value;
  const node = tree.value.byId.get(id);
  if (!treeLoaded.value || tree.value.byId.size === 0) return null;
  const name = nodeName(node);
  // Of everything it goes without saying.
  const below = sub && id !== everything && node !== undefined && node.depth > 1 && node.children.length > 0;
  return (
    <>
      <button type="button" class="org" aria-haspopup="dialog" onClick={() => setOpen(true)}>
        <bdi>{name}</bdi>
        {below && <small> {t("tree.and-below")}</small>}
        <span class="unseen">{t("tree.button")}</span>
        <span class="twist open" aria-hidden="true" />
      </button>
      {open && <PickerDialog onClose={() => setOpen(false)} />}
    </>
  );
}

function PickerDialog({ onClose }: { onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  const check = useId();
  const { id, sub } = choice.value;
  useEffect(() => dialog.current?.showModal(), []);
  // The event of closing comes a moment later: a key that opens it again before that must find it closed.
  const close = () => {
    dialog.current?.close();
    onClose();
  };
  const take = (node: number, below = sub) => {
    choose({ id: node, sub: below });
    close();
  };
  const highest = highestOf(tree.value);
  return (
    <dialog ref={dialog} class="picker" aria-labelledby={heading} onClose={(event) => event.currentTarget.isConnected && onClose()} onClick={(event) => event.target === event.currentTarget && close()}>
      <div class="picker-inside">
        <div class="picker-head">
          <h2 id={heading}>{t("tree.title")}</h2>
          <button type="button" class="btn quiet small" onClick={close}>
            {t("tree.close")}
          </button>
        </div>
        <TreeSearch
          selected={id}
          label={t("tree.label")}
          onSelect={take}
          focused
          aside={(node) => (places.value.size ? <span class="tree-count">{t("count", { n: sub ? node.placesBelow : node.places })}</span> : null)}
        />
        <p class="check">
          <input id={check} type="checkbox" checked={sub} disabled={id === everything} onChange={(event) => choose({ id, sub: event.currentTarget.checked })} />
          <label for={check}>{t("tree.include")}</label>
        </p>
        <p class="act">
          <button type="button" class="btn" disabled={id === highest && sub} onClick={() => take(highest, true)}>
            {t("tree.highest")}
          </button>
          {may("organization.change") && (
            <a class="link" href="/organizations" onClick={close}>
              {t("tree.manage")}
            </a>
          )}
        </p>
      </div>
    </dialog>
  );
}
