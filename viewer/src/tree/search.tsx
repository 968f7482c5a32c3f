import { useId, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { t } from "../words/messages";
import { above, foundRows, openRows, type Node } from "./nodes";
import { tree } from "./tree";
import { TreeView } from "./treeview";
import type { ComponentChildren } from "preact";

interface Props {
  selected: number;
  label: string;
  onSelect: (id: number) => void;
  /** Nodes that cannot be chosen are left out with all below them. */
  without?: number;
  aside?: (node: Node) => ComponentChildren;
  /** Whether the search box takes the focus when it appears. */
  focused?: boolean;
}

/** The organizations with a search box above them. */
export function TreeSearch({ selected, label, onSelect, without, aside, focused }: Props) {
  const [search, setSearch] = useState("");
  const of = tree.value;
  const [open, setOpen] = useState<ReadonlySet<number>>(() => new Set([...of.tops.map((n) => n.id), ...above(of, selected).map((n) => n.id)]));
  const input = useRef<HTMLInputElement>(null);
  const toTree = useRef<() => void>(() => undefined);
  const id = useId();
  // A dialog that opens takes the attribute; what appears later must take the focus itself.
  useLayoutEffect(() => {
    if (focused) input.current?.focus();
  }, []);
  const searching = search.trim() !== "";
  const { rows, found } = useMemo(() => {
    const shown = searching ? foundRows(of, search.trim()) : { rows: openRows(of, open), found: [] };
    return without === undefined ? shown : { rows: shown.rows.filter((r) => r.node.id !== without && !above(of, r.node.id).some((n) => n.id === without)), found: shown.found };
  }, [of, open, search, without]);
  const toggle = (node: number, opens: boolean) => {
    const after = new Set(open);
    if (opens) after.add(node);
    else after.delete(node);
    setOpen(after);
  };
  // Enter in the search box takes the first that fits.
  const onKey = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown") {
      event.preventDefault();
      toTree.current();
    } else if (event.key === "Enter") {
      event.preventDefault();
      const [first] = found;
      if (searching && first !== undefined) onSelect(first);
    }
  };
  return (
    <div class="tree-search">
      <label class="unseen" for={id}>
        {t("tree.find")}
      </label>
      <input
        id={id}
        ref={input}
        type="search"
        class="tree-find"
        placeholder={t("tree.find")}
        value={search}
        autocomplete="off"
        autofocus={focused ?? false}
        onKeyDown={onKey}
        onInput={(event) => setSearch(event.currentTarget.value)}
      />
      <p class="unseen" role="status">
        {searching ? t("tree.found", { n: found.length }) : ""}
      </p>
      {rows.length > 0 ? (
        <TreeView
          key={searching ? "found" : "all"}
          rows={rows}
          selected={searching ? (found[0] ?? selected) : selected}
          label={label}
          onSelect={onSelect}
          onToggle={toggle}
          {...(aside ? { aside } : {})}
          onLeaveUp={() => input.current?.focus()}
          focusing={(focus) => (toTree.current = focus)}
        />
      ) : (
        <p class="soft">{t("tree.none-found")}</p>
      )}
    </div>
  );
}
