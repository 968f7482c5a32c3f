import { describe, expect, it } from "vitest";
import type { Organization } from "../api/tree";
import { above, everything, folded, foundRows, highestOf, openRows, ranked, treeOf, within, zoneAt, type Row } from "./nodes";

function node(id: number, parent: number | null, name: string, change: Partial<Organization> = {}): Organization {
  return { id, parent_id: parent, name, path: `/${name}`, time_zone: "UTC", own_time_zone: "", places: 1, devices: 0, closed: false, ...change };
}

const acme = treeOf([node(1, null, ""), node(2, 1, "Brno", { own_time_zone: "Europe/Prague", time_zone: "Europe/Prague" }), node(3, 2, "Cold storage"), node(4, 1, "Ádám"), node(5, 2, "Annex")]);
const names = (rows: Row[]) => rows.map((r) => `${" ".repeat(r.node.depth)}${r.node.name}`);

describe("the tree", () => {
  it("has the highest that can be seen on top, and sums places", () => {
    expect(acme.tops.map((n) => n.id)).toEqual([1]);
    expect(acme.byId.get(1)).toMatchObject({ depth: 1, placesBelow: 5 });
    expect(acme.byId.get(3)).toMatchObject({ depth: 3, placesBelow: 1 });
  });

  it("of a person who sees two branches has two on top, and everything is the highest choice", () => {
    const two = treeOf([node(3, 2, "b"), node(4, null, "a")]);
    expect(two.tops.map((n) => n.name)).toEqual(["a", "b"]);
    expect(highestOf(two)).toBe(everything);
    expect(highestOf(acme)).toBe(1);
    expect(within(two, everything, true)).toBeNull();
  });

  it("shows what is open, by name", () => {
    expect(names(openRows(acme, new Set()))).toEqual([" "]);
    expect(names(openRows(acme, new Set([1, 2])))).toEqual([" ", "  Ádám", "  Brno", "   Annex", "   Cold storage"]);
    expect(openRows(acme, new Set([1]))[2]).toMatchObject({ place: 2, sisters: 2, expanded: false });
    expect(openRows(acme, new Set([1]))[1]?.expanded).toBeNull();
  });

  it("finds names without regard to marks and case, with the way to them", () => {
    const { rows, found } = foundRows(acme, "ADAM");
    expect(names(rows)).toEqual([" ", "  Ádám"]);
    expect(found).toEqual([4]);
    expect(foundRows(acme, "cold")).toMatchObject({ found: [3] });
    expect(names(foundRows(acme, "cold").rows)).toEqual([" ", "  Brno", "   Cold storage"]);
    expect(foundRows(acme, "nothing").rows).toEqual([]);
  });

  it("takes in what is below only where it is wanted", () => {
    expect([...(within(acme, 2, true) ?? [])].sort()).toEqual([2, 3, 5]);
    expect([...(within(acme, 2, false) ?? [])]).toEqual([2]);
    expect(within(acme, 99, true)).toBeNull();
  });

  it("knows the way to a node", () => expect(above(acme, 3).map((n) => n.id)).toEqual([1, 2]));

  it.each([
    [1, ""],
    [2, "Europe/Prague"],
    [3, "Europe/Prague"],
    [4, ""],
  ])("the zone at %d is %s: where none is set from the root on, the browser's", (id, want) => expect(zoneAt(acme, id)).toBe(want));

  it("takes the server's word for the zone where the nodes above cannot be seen", () => {
    expect(zoneAt(treeOf([node(9, null, "Vaults", { time_zone: "Asia/Tokyo" })]), 9)).toBe("Asia/Tokyo");
  });

  it("is made of a thousand nodes in a chain, and of a loop that should not be", () => {
    const chain = treeOf(Array.from({ length: 1000 }, (_, i) => node(i + 1, i || null, `n${i}`)));
    expect(chain.byId.get(1)?.placesBelow).toBe(1000);
    expect(above(chain, 1000)).toHaveLength(999);
    expect(above(treeOf([node(2, 3, "a"), node(3, 2, "b")]), 2).length).toBeLessThanOrEqual(2);
  });
});

it("folded forgets case and marks", () => expect(folded("Žďár")).toBe("zdar"));

it("ranks ways as they read", () => {
  const ways = ["Zeta › Área", "acme › Brno", "acme", "Zeta", ""].map((way, i) => ({ id: i + 1, way }));
  const inOrder = [...ranked(ways)].sort(([, a], [, b]) => a.rank - b.rank).map(([id, { way }]) => ({ id, way }));
  expect(inOrder).toEqual([...ways].sort((a, b) => a.way.localeCompare(b.way)));
  expect(ranked(ways).get(2)).toEqual({ way: "acme › Brno", rank: 2 });
});
