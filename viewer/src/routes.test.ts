import { describe, expect, it } from "vitest";
import { routeOf, routes } from "./routes";

describe("an address", () => {
  it.each([
    ["/", "overview", 0, ""],
    ["/index.html", "overview", 0, ""],
    ["/places/12", "place", 12, ""],
    ["/devices/7/quarantine", "quarantine", 7, ""],
    ["/completeness/3/2026-11-22", "completenessDay", 3, "2026-11-22"],
  ])("%s names the page %s", (path, name, id, day) => {
    expect(routeOf(path)).toEqual({ name, id, day });
  });

  it.each(["/nowhere", "/places/", "/places/x", "/devices/7/other", "/completeness/3/today", "/people/12/", "//"])("%s names none", (path) => {
    expect(routeOf(path)).toBeNull();
  });

  it("names every page that has no id", () => {
    for (const [name, path] of Object.entries(routes)) if (!path.includes(":")) expect(routeOf(path)?.name).toBe(name);
  });
});
