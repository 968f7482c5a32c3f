import { batch, computed, effect, signal } from "@preact/signals";
import { useLayoutEffect } from "preact/hooks";
import type { OrganizationList } from "../api/tree";
import { go, path, query } from "../router";
import { zone } from "../words/format";
import { t } from "../words/messages";
import { visible } from "../words/text";
import { above, emptyTree, highestOf, ranked, treeOf, within, zoneAt, type Node, type Tree } from "./nodes";

// The organizations that the person may see, and which of them is chosen. The choice is kept in the address, so that what a person
// sees can be sent to another, and in this browser for the next time.

/** A node, or everything, with or without what is below it. */
export interface Choice {
  id: number;
  sub: boolean;
}

export const tree = signal<Tree>(emptyTree);

/** Whether the organizations have been loaded once. */
export const treeLoaded = signal(false);

const kept = "halley.organization";
const wanted = signal<Choice | null>(null);

/** What is chosen; the highest and all below it where nothing is, or what was chosen cannot be seen any more. */
export const choice = computed<Choice>(() => {
  const asked = wanted.value;
  return asked && tree.value.byId.has(asked.id) ? asked : { id: highestOf(tree.value), sub: true };
});

/** The nodes that the choice takes in; null where it takes in all. */
export const chosen = computed(() => (choice.value.id === highestOf(tree.value) && choice.value.sub ? null : within(tree.value, choice.value.id, choice.value.sub)));

/** The zone of the page's own place, null where the page is of none; it goes before that of the chosen node. */
const pageZone = signal<string | null>(null);

export function takeOrganizations(list: OrganizationList): void {
  batch(() => {
    tree.value = treeOf(list.organizations);
    treeLoaded.value = true;
  });
}

/** Forgets what one person saw. */
export function forgetOrganizations(): void {
  batch(() => {
    tree.value = emptyTree;
    treeLoaded.value = false;
    wanted.value = null;
  });
}

/** Whether something of this node is to be shown. */
export function isChosen(organization: number): boolean {
  return chosen.value === null || chosen.value.has(organization);
}

export function choose(next: Choice): void {
  wanted.value = next;
  try {
    localStorage.setItem(kept, JSON.stringify(next));
  } catch {
    // A browser that keeps nothing has the address alone.
  }
  if (/^\/(places|devices)\/\d/.test(path.peek())) go(`/${searchOf(new URLSearchParams(), next)}`);
}

function remembered(): Choice | null {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(kept) ?? "null");
    if (typeof value !== "object" || value === null) return null;
    const { id, sub } = value as Record<string, unknown>;
    return typeof id === "number" && typeof sub === "boolean" ? { id, sub } : null;
  } catch {
    return null;
  }
}

/** The pages that show only what is chosen. */
const filtered: readonly string[] = ["/", "/index.html", "/places", "/devices", "/completeness", "/people", "/usage", "/audit"];

/** Puts the choice behind the question mark; the highest with all below it is what counts when nothing stands there. */
function searchOf(search: URLSearchParams, of: Choice): string {
  const after = new URLSearchParams(search);
  after.delete("org");
  after.delete("sub");
  if (of.id !== highestOf(tree.peek()) || !of.sub) {
    after.set("org", String(of.id));
    if (!of.sub) after.set("sub", "0");
  }
  return after.size ? `?${after.toString().replaceAll("%2C", ",")}` : "";
}

/** Keeps choice, address and zone together until the function that it returns is called. */
export function followChoice(): () => void {
  wanted.value = remembered();
  let seen: URLSearchParams | null = null;
  const unfollow = effect(() => {
    const search = query.value;
    const ready = treeLoaded.value;
    const at = path.value;
    if (search !== seen && search.has("org")) {
      const asked = { id: Number(search.get("org")), sub: search.get("sub") !== "0" };
      const before = wanted.peek();
      if (before?.id !== asked.id || before.sub !== asked.sub) wanted.value = asked;
    }
    seen = search;
    const now = choice.value;
    if (ready && filtered.includes(at)) {
      const holds = readBack(search);
      if (holds.id !== now.id || holds.sub !== now.sub) go(`${at}${searchOf(search, now)}`, true);
    }
  });
  const unzone = effect(() => {
    zone.value = pageZone.value ?? zoneAt(tree.value, choice.value.id);
  });
  return () => {
    unfollow();
    unzone();
    zone.value = "";
  };
}

/** The choice that an address holds. */
function readBack(search: URLSearchParams): Choice {
  return search.has("org") ? { id: Number(search.get("org")), sub: search.get("sub") !== "0" } : { id: highestOf(tree.peek()), sub: true };
}

/** Shows all times in the zone of the page's place or organization while it stands; undefined while that is not known. */
export function usePageZone(name: string | undefined): void {
  useLayoutEffect(() => {
    pageZone.value = name ?? null;
    return () => void (pageZone.value = null);
  }, [name]);
}

/** What a node is called; the root may have no name of its own. */
export function nodeName(node: Pick<Node, "name"> | undefined): string {
  return visible(node?.name.trim() ?? "") || t("tree.everything");
}

/** The names on the way to a node and its own: "Acme › Brno", without those from the top that say nothing. */
export function wayTo(id: number): string {
  const node = tree.value.byId.get(id);
  if (!node) return "";
  return [...above(tree.value, id), node].filter((n) => n.name !== "").map((n) => nodeName(n)).join(" › ") || nodeName(node);
}

/** The ways to all nodes with the rank of each by name: sorting them takes a moment, so that it is done once for each tree. */
export const ways = computed(() => ranked([...tree.value.byId.keys()].map((id) => ({ id, way: wayTo(id) }))));

/** The zone of an organization; "" for the browser's own. */
export function zoneOf(organization: number): string {
  return zoneAt(tree.value, organization);
}

/** The node that all others are below. */
const root = 1;

/** A node's path as a person reads it: "/Brno/Hall" as "Acme › Brno › Hall"; the root has words of its own where it has no name. */
export function pathName(path: string): string {
  const names = [tree.value.byId.get(root)?.name ?? "", ...path.split("/")].filter((name) => name !== "");
  return names.map((name) => visible(name)).join(" › ") || t("people.root");
}
