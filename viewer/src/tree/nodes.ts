import type { Organization } from "../api/tree";

// The tree of organizations as a person may see it, and what of it is in sight. Nothing here knows the page.

/** The choice of everything that a person may see, where that has no single highest node. */
export const everything = 0;

/** A node with its place in the tree. */
export interface Node extends Organization {
  /** 1 for the highest that the person may see. */
  depth: number;
  children: Node[];
  /** The open places of the node and all below. */
  placesBelow: number;
}

export interface Tree {
  byId: ReadonlyMap<number, Node>;
  /** The highest nodes that the person may see. */
  tops: readonly Node[];
}

export const emptyTree: Tree = { byId: new Map(), tops: [] };

/** Makes the tree of a list; a node whose parent is not in the list is one of the highest. */
export function treeOf(list: readonly Organization[]): Tree {
  const byId = new Map<number, Node>(list.map((o) => [o.id, { ...o, depth: 1, children: [], placesBelow: o.places }]));
  const tops: Node[] = [];
  for (const node of byId.values()) {
    const parent = node.parent_id === null || node.parent_id === node.id ? undefined : byId.get(node.parent_id);
    (parent?.children ?? tops).push(node);
  }
  const order = (a: Node, b: Node) => a.name.localeCompare(b.name) || a.id - b.id;
  // The way down is kept apart from the calls, for a tree may be deep.
  const down: Node[] = [...tops];
  const visited: Node[] = [];
  tops.sort(order);
  for (let node = down.pop(); node; node = down.pop()) {
    visited.push(node);
    node.children.sort(order);
    for (const child of node.children) {
      child.depth = node.depth + 1;
      down.push(child);
    }
  }
  for (const node of visited.reverse()) for (const child of node.children) node.placesBelow += child.placesBelow;
  return { byId, tops };
}

/** The highest choice: the one highest node, or everything where there are several. */
export function highestOf(tree: Tree): number {
  const [only, ...more] = tree.tops;
  return only && more.length === 0 ? only.id : everything;
}

/** The ids of a node and, where wanted, of all below; null stands for no limit. */
export function within(tree: Tree, id: number, sub: boolean): ReadonlySet<number> | null {
  const node = tree.byId.get(id);
  if (!node) return null;
  const ids = new Set([id]);
  if (!sub) return ids;
  const down = [...node.children];
  for (let next = down.pop(); next; next = down.pop()) {
    if (ids.has(next.id)) continue;
    ids.add(next.id);
    down.push(...next.children);
  }
  return ids;
}

/** The nodes above a node, the highest first. */
export function above(tree: Tree, id: number): Node[] {
  const out: Node[] = [];
  let node = tree.byId.get(id);
  while (node && node.parent_id !== null && out.length < tree.byId.size) {
    node = tree.byId.get(node.parent_id);
    if (node) out.unshift(node);
  }
  return out;
}

/**
 * The zone of a node's times; "" where nobody has set one from the root down, so that the browser's own serves. Who cannot see the
 * nodes above gets what the server says.
 */
export function zoneAt(tree: Tree, id: number): string {
  const node = tree.byId.get(id);
  if (!node) return "";
  const way = [...above(tree, id), node];
  const own = way.findLast((n) => n.own_time_zone !== "")?.own_time_zone;
  if (own) return own;
  return way[0]?.id === root ? "" : node.time_zone;
}

const root = 1;

/** A row of the tree as it is shown. */
export interface Row {
  node: Node;
  /** null where there is nothing to open. */
  expanded: boolean | null;
  /** Its place among its sisters, from 1, and how many they are. */
  place: number;
  sisters: number;
}

/** The rows in sight: the highest nodes, and what is below every node that is open. */
export function openRows(tree: Tree, open: ReadonlySet<number>): Row[] {
  return rowsOf(tree, (node) => open.has(node.id), () => true);
}

/** The rows whose names fit, with the way to each; everything on a way is open. */
export function foundRows(tree: Tree, search: string): { rows: Row[]; found: number[] } {
  const wanted = folded(search);
  const found = [...tree.byId.values()].filter((n) => folded(n.name).includes(wanted) || (wanted.includes("/") && folded(n.path).includes(wanted))).map((n) => n.id);
  const kept = new Set<number>();
  for (const id of found) {
    let node = tree.byId.get(id);
    while (node && !kept.has(node.id)) {
      kept.add(node.id);
      node = node.parent_id === null ? undefined : tree.byId.get(node.parent_id);
    }
  }
  const rows = rowsOf(tree, (node) => node.children.some((c) => kept.has(c.id)), (node) => kept.has(node.id));
  return { rows, found: rows.map((r) => r.node.id).filter((id) => folded(tree.byId.get(id)?.name ?? "").includes(wanted) || wanted.includes("/")) };
}

function rowsOf(tree: Tree, isOpen: (node: Node) => boolean, isKept: (node: Node) => boolean): Row[] {
  const rows: Row[] = [];
  const todo: { node: Node; place: number; sisters: number }[] = [];
  const push = (nodes: readonly Node[]) => {
    const kept = nodes.filter(isKept);
    for (let i = kept.length - 1; i >= 0; i--) todo.push({ node: kept[i]!, place: i + 1, sisters: kept.length });
  };
  push(tree.tops);
  for (let next = todo.pop(); next; next = todo.pop()) {
    const { node } = next;
    const opens = node.children.some(isKept);
    const expanded = opens ? isOpen(node) : null;
    rows.push({ ...next, expanded });
    if (expanded) push(node.children);
  }
  return rows;
}

/** What ways lead to, with the rank of each way by name. */
export function ranked(ways: readonly { id: number; way: string }[]): ReadonlyMap<number, { way: string; rank: number }> {
  const { compare } = new Intl.Collator();
  const sorted = [...ways].sort((a, b) => compare(a.way, b.way));
  return new Map(sorted.map(({ id, way }, rank) => [id, { way, rank }]));
}

/** For finding: small letters, without the marks above them. */
export function folded(text: string): string {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}
