import { useId, useRef, useState } from "preact/hooks";
import { t } from "../words/messages";
import { TreeSearch } from "./search";
import { tree, wayTo } from "./tree";

interface Props {
  label: string;
  value: number;
  onValue: (id: number) => void;
  /** A node that cannot be chosen, with all below it: what is moved cannot go below itself. */
  without?: number;
}

/** Chooses an organization in a form: what is chosen, and on request the tree. */
export function NodeField({ label, value, onValue, without }: Props) {
  const [open, setOpen] = useState(false);
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  if (tree.value.byId.size < 2) return null;
  return (
    <div class="field" role="group" aria-labelledby={id}>
      <span id={id} class="label">
        {label}
      </span>
      <span class="chosen-node">
        <bdi>{wayTo(value) || t("tree.not-chosen")}</bdi>
        <button ref={button} type="button" class="btn small" aria-expanded={open} aria-label={t("tree.choose-for", { label })} onClick={() => setOpen(!open)}>
          {t(open ? "tree.close" : "tree.choose")}
        </button>
      </span>
      {open && (
        <TreeSearch
          selected={value}
          label={label}
          focused
          {...(without === undefined ? {} : { without })}
          onSelect={(node) => {
            onValue(node);
            // The tree goes away with the focus in it.
            button.current?.focus();
            setOpen(false);
          }}
        />
      )}
    </div>
  );
}
