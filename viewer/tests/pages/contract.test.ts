import { request, type APIRequestContext } from "playwright-core";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { Fixture } from "../fixture/server";

// The fixture is believed in by all the other files: whatever it answers must have the fields that the program's answers have, and
// no others.

let fixture: Fixture;
let program: APIRequestContext;
let made: APIRequestContext;

beforeAll(async () => {
  fixture = await Fixture.start();
  const extraHTTPHeaders = { Accept: "application/json" };
  program = await request.newContext({ baseURL: inject("origin"), storageState: inject("storage"), extraHTTPHeaders });
  made = await request.newContext({ baseURL: fixture.url, extraHTTPHeaders });
});
afterAll(async () => {
  await Promise.all([program.dispose(), made.dispose()]);
  await fixture.stop();
});

type Shape = Map<string, Set<string>>;

/** What is of another shape for each kind of thing: which kinds there are is a matter of what has happened so far. */
const manifold = ["results[].summary"];

/** Which fields there are anywhere in a value, and of which types: "devices[].name" is a string. */
function shapeOf(value: unknown, at = "", into: Shape = new Map()): Shape {
  const type = value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
  const types = into.get(at) ?? new Set();
  into.set(at, types.add(type));
  if (manifold.includes(at)) return into;
  if (Array.isArray(value)) for (const one of value) shapeOf(one, `${at}[]`, into);
  else if (type === "object") for (const [key, inner] of Object.entries(value as object)) shapeOf(inner, at === "" ? key : `${at}.${key}`, into);
  return into;
}

/** Where two answers differ in their fields. What one of them has none of, an empty list or null, says nothing of what is in it. */
function differences(program: Shape, fixture: Shape): string[] {
  const found: string[] = [];
  const parentOf = (path: string) => path.replace(/(\[\]|(^|\.)[^.[]+)$/, "");
  const known = (path: string, of: Shape): boolean => path === "" || (of.get(parentOf(path))?.has("object") ?? false);
  for (const [path, types] of fixture) {
    const there = program.get(path);
    if (!there) {
      if (!path.endsWith("[]") && known(path, program)) found.push(`${path}: only in the fixture`);
      continue;
    }
    const plain = (of: Set<string>) => [...of].filter((type) => type !== "null").sort();
    if (plain(types).length > 0 && plain(there).length > 0 && plain(types).join() !== plain(there).join()) found.push(`${path}: ${plain(types).join()} in the fixture, ${plain(there).join()} in the program`);
  }
  for (const path of program.keys()) if (!fixture.has(path) && !path.endsWith("[]") && known(path, fixture)) found.push(`${path}: only in the program`);
  return found.sort();
}

async function answer(of: APIRequestContext, path: string): Promise<unknown> {
  const response = await of.get(`/api/v1${path}`);
  expect(response.status(), `${path}: ${await response.text()}`).toBe(200);
  return response.json();
}

const hour = 3_600_000;
const span = `from=${new Date(Date.now() - hour).toISOString()}&to=${new Date().toISOString()}`;

it.each([
  "/sign-in",
  "/me",
  "/me/sessions",
  "/me/passkeys",
  "/status",
  "/latest",
  "/devices",
  "/devices/1",
  `/devices/1/completeness?${span}`,
  "/devices/1/last-upload",
  "/devices/1/gap-causes",
  "/channels?device=1",
  "/organizations",
  "/places?fields=lean",
  "/places/1",
  `/places/1/completeness?${span}`,
  "/people",
  "/people/1",
  "/roles",
  "/tokens",
  "/usage",
  "/completeness",
  "/proof",
  "/proof/results",
  "/audit",
  "/audit/reviews",
  "/unrecognized",
])("the fixture answers %s as the program does", async (path) => {
  expect(differences(shapeOf(await answer(program, path)), shapeOf(await answer(made, path)))).toEqual([]);
});
