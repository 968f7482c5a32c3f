import type { ComponentChildren } from "preact";
import { useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { folded, type Node, type Row } from "./nodes";
import { nodeName, tree } from "./tree";

/** The height of a row in pixels; the style sheet says the same. */
const rowHeight = 32;
/** Rows kept ready above and below those in sight. */
const spare = 8;
/** What is typed within this time, in milliseconds, is one beginning of a name. */
const typing = 700;

interface Props {
  rows: readonly Row[];
  selected: number;
  label: string;
  onSelect: (id: number) => void;
  onToggle: (id: number, open: boolean) => void;
  /** What stands at the end of a row. */
  aside?: (node: Node) => ComponentChildren;
  /** Gives the focus to what stands above, at the first row. */
  onLeaveUp?: () => void;
  /** Called with a way to give the tree the focus. */
  focusing?: (focus: () => void) => void;
}

/** A tree by keyboard and mouse. Only the rows in sight are in the page, so that its size does not matter. */
export function TreeView({ rows, selected, label, onSelect, onToggle, aside, onLeaveUp, focusing }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const id = useId();
  const [active, setActive] = useState(selected);
  const [seen, setSeen] = useState({ top: 0, height: 10 * rowHeight });
  const typed = useRef({ text: "", at: 0 });
  const found = rows.findIndex((r) => r.node.id === active);
  const at = found >= 0 ? found : 0;
  const current = rows[at];

  const look = () => box.current && setSeen({ top: box.current.scrollTop, height: box.current.clientHeight });
  useLayoutEffect(() => {
    look();
    if (!box.current) return;
    const sizes = new ResizeObserver(look);
    sizes.observe(box.current);
    return () => sizes.disconnect();
  }, []);
  const show = (row: number) => {
    const element = box.current;
    if (!element) return;
    const top = row * rowHeight;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + rowHeight > element.scrollTop + element.clientHeight) element.scrollTop = top + rowHeight - element.clientHeight;
    look();
  };
  useEffect(() => show(at), [at, rows]);
  useEffect(() => focusing?.(() => box.current?.focus()), []);

  const move = (to: number) => {
    const row = rows[Math.max(0, Math.min(rows.length - 1, to))];
    if (row) setActive(row.node.id);
  };
  const onKey = (event: KeyboardEvent) => {
    if (!current || event.ctrlKey || event.metaKey || event.altKey) return;
    const page = Math.max(1, Math.floor(seen.height / rowHeight) - 1);
    const act = keys(event.key, { at, rows, page, move, onToggle, onLeaveUp, onSelect }) ?? (event.key.length === 1 ? () => typeAhead(event.key) : null);
    if (!act) return;
    event.preventDefault();
    act();
  };
  const typeAhead = (key: string) => {
    const now = Date.now();
    const text = now - typed.current.at < typing ? typed.current.text + key : key;
    typed.current = { text, at: now };
    const wanted = folded(text);
    const order = [...rows.slice(at + (text.length === 1 ? 1 : 0)), ...rows.slice(0, at + 1)];
    const fits = order.find((r) => folded(nodeName(r.node)).startsWith(wanted));
    if (fits) setActive(fits.node.id);
  };

  const first = Math.max(0, Math.floor(seen.top / rowHeight) - spare);
  const last = Math.min(rows.length, Math.ceil((seen.top + seen.height) / rowHeight) + spare);
  const inSight = at >= first && at < last;
  return (
    <div class="tree" role="tree" style={{ maxHeight: `${Math.max(5, tree.value.byId.size) * rowHeight + 2}px` }} tabIndex={0} aria-label={label} ref={box} {...(current && inSight ? { "aria-activedescendant": `${id}-${current.node.id}` } : {})} onKeyDown={onKey} onScroll={look}>
      <div role="none" class="tree-space" style={{ height: `${rows.length * rowHeight}px` }}>
        <div role="none" style={{ transform: `translateY(${first * rowHeight}px)` }}>
          {rows.slice(first, last).map((row) => (
            <div
              key={row.node.id}
              id={`${id}-${row.node.id}`}
              role="treeitem"
              class={`tree-row ${row === current ? "active" : ""}`}
              aria-level={row.node.depth}
              aria-posinset={row.place}
              aria-setsize={row.sisters}
              aria-selected={row.node.id === selected}
              {...(row.expanded === null ? {} : { "aria-expanded": row.expanded })}
              style={{ paddingLeft: `${8 + Math.min(row.node.depth - 1, 8) * 16}px` }}
              onClick={() => onSelect(row.node.id)}
            >
              <span
                class={`twist ${row.expanded === null ? "none" : row.expanded ? "open" : ""}`}
                aria-hidden="true"
                onClick={(event) => {
                  if (row.expanded === null) return;
                  event.stopPropagation();
                  setActive(row.node.id);
                  onToggle(row.node.id, !row.expanded);
                }}
              />
              <bdi class="tree-name" title={nodeName(row.node)}>
                {nodeName(row.node)}
              </bdi>
              {aside?.(row.node)}
            </div>
          ))}
        </div>
      </div>
    </div>
  );
}

interface Hands {
  at: number;
  rows: readonly Row[];
  page: number;
  move: (to: number) => void;
  onToggle: (id: number, open: boolean) => void;
  onLeaveUp: (() => void) | undefined;
  onSelect: (id: number) => void;
}

/** What a key does in a tree; null where it does nothing. */
function keys(key: string, { at, rows, page, move, onToggle, onLeaveUp, onSelect }: Hands): (() => void) | null {
  const row = rows[at];
  if (!row) return null;
  const { node, expanded } = row;
  switch (key) {
    case "ArrowDown":
      return () => move(at + 1);
    case "ArrowUp":
      return () => (at === 0 && onLeaveUp ? onLeaveUp() : move(at - 1));
    case "Home":
      return () => move(0);
    case "End":
      return () => move(rows.length - 1);
    case "PageDown":
      return () => move(at + page);
    case "PageUp":
      return () => move(at - page);
    case "ArrowRight":
      return () => (expanded === false ? onToggle(node.id, true) : expanded ? move(at + 1) : undefined);
    case "ArrowLeft":
      return () => (expanded ? onToggle(node.id, false) : move(rows.findIndex((r) => r.node.id === node.parent_id)));
    case "*":
      return () => rows.filter((r) => r.node.parent_id === node.parent_id && r.expanded === false).forEach((r) => onToggle(r.node.id, true));
    case "Enter":
    case " ":
      return () => onSelect(node.id);
    default:
      return null;
  }
}
