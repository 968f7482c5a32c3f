import { request, type APIRequestContext } from "playwright-core";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { People } from "../fixture/people";
import { Fixture } from "../fixture/server";
import { administrator } from "./setup";

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

/** What came of a change: its status, and what was answered, which has a code where it was refused. */
interface Told {
  what: string;
  status: number;
  body: Record<string, unknown>;
}

/** The same changes and refusals on either, one after the other; what was made is taken away again where that can be done. */
async function changes(of: APIRequestContext, password: string): Promise<Told[]> {
  const told: Told[] = [];
  const why = "The fixture is held against the program.";
  const unique = Date.now().toString(36);
  const ask = async (method: string, path: string, data?: object): Promise<Record<string, unknown>> => {
    const response = await of.fetch(`/api/v1${path}`, { method, ...(data ? { data } : {}) });
    const text = await response.text();
    const body = (text === "" ? {} : JSON.parse(text)) as Record<string, unknown>;
    told.push({ what: `${method} ${path.replace(/\d+/g, "N")} ${Object.keys(data ?? {}).join()}`, status: response.status(), body });
    return body;
  };
  const idOf = (made: Record<string, unknown>) => Number(made["id"]);

  for (const list of ["places", "devices", "organizations", "people", "channels"]) await ask("GET", `/${list}/999999`);
  await ask("PATCH", "/places/999999", { name: "Nowhere", why });
  await ask("PATCH", "/places/1", { why });
  await ask("PATCH", "/places/1", { name: "Nowhere" });
  await ask("POST", "/devices/1/accept", {});
  await ask("POST", "/devices/1/suspend", {});
  await ask("POST", "/devices/1/gap-causes", { from: new Date(Date.now() - hour).toISOString(), to: new Date().toISOString(), cause: "whim" });
  await ask("GET", "/channels/999999/samples");
  await ask("POST", "/session", { name: "nobody", password: "Comet-1P-Halley" });
  await ask("GET", "/nothing");

  const node = idOf(await ask("POST", "/organizations", { parent_id: 1, name: `Contract ${unique}`, why }));
  await ask("POST", "/organizations", { parent_id: 1, name: `Contract ${unique}`, why });
  await ask("POST", "/organizations", { parent_id: 999999, name: "Nowhere", why });
  await ask("POST", "/organizations", { parent_id: 1, name: "a/b", why });
  await ask("PATCH", `/organizations/${node}`, { time_zone: "Europe/Prague", why });
  await ask("PATCH", `/organizations/${node}`, { time_zone: "Mars/Olympus", why });
  const place = idOf(await ask("POST", "/places", { name: `Contract ${unique}`, organization_id: node, why }));
  await ask("PATCH", `/places/${place}`, { name: "Another", why });
  await ask("PATCH", `/places/${place}`, { closed: true, why });
  const inner = idOf(await ask("POST", "/organizations", { parent_id: node, name: "Inner", why }));
  await ask("PATCH", `/organizations/${node}`, { closed: true, why });
  await ask("PATCH", `/organizations/${inner}`, { closed: true, why });
  await ask("PATCH", `/organizations/${node}`, { closed: true, why });

  const grant = { role: "guest", organization_id: 1 };
  const person = idOf(await ask("POST", "/people", { name: `contract.${unique}`, organization_id: 1, grants: [grant], why }));
  await ask("POST", "/people", { name: `contract.${unique}`, organization_id: 1, grants: [grant], why });
  await ask("POST", "/people", { name: "", organization_id: 1, grants: [grant], why });
  await ask("PATCH", `/people/${person}`, { full_name: "Con Tract", why });
  await ask("PATCH", `/people/${person}`, { full_name: "Con Tract" });
  await ask("POST", `/people/${person}/reset`, { why });
  const granted = idOf(await ask("POST", `/people/${person}/grants`, { role: "user", organization_id: 1, why }));
  await ask("POST", `/people/${person}/grants`, { role: "emperor", organization_id: 1, why });
  await ask("DELETE", `/people/${person}/grants/${granted}`, { why });
  await ask("GET", `/people/${person}/rights`);
  await ask("GET", `/people/${person}/sessions`);
  await ask("PATCH", `/people/${person}`, { state: "disabled", why });
  await ask("DELETE", `/people/${person}`, { why });

  const token = idOf(await ask("POST", "/tokens", { name: `contract ${unique}`, role: "guest", organization_id: 1, expires: "90d", why }));
  await ask("POST", "/tokens", { name: `contract ${unique}`, role: "guest", organization_id: 1, expires: "90d", why });
  await ask("DELETE", `/tokens/${token}`, { why });
  await ask("DELETE", "/tokens/999999", { why });
  const role = idOf(await ask("POST", "/roles", { name: `contract-${unique}`, organization_id: 1, permissions: ["place.read"], why }));
  await ask("POST", "/roles", { name: "guest", organization_id: 1, permissions: ["place.read"], why });
  await ask("PATCH", `/roles/${role}`, { permissions: ["place.read", "sample.read"], why });
  await ask("DELETE", `/roles/${role}`, { why });
  await ask("PATCH", "/me", { sign_out_minutes: 30 });
  await ask("PATCH", "/me", { sign_out_minutes: 7 });
  const own = (await ask("GET", "/me"))["person_id"];
  await ask("PATCH", `/people/${Number(own)}`, { state: "disabled", why });
  await ask("DELETE", `/people/${Number(own)}`, { why });
  await ask("POST", "/me/password", { password: "wrong", new_password: "Summer-is-9" });
  await ask("POST", "/me/confirmation", { password: "wrong" });
  await ask("DELETE", "/me/totp");
  await ask("POST", "/me/password", { password, new_password: "short" });
  await ask("POST", "/me/password", { password, new_password: "Password1!" });
  await ask("POST", "/me/totp", {});
  await ask("POST", "/me/totp/confirmation", { code: "000000" });
  await ask("POST", "/me/recovery-codes", {});
  await ask("DELETE", "/me/passkeys/none");
  await ask("POST", "/me/confirmation", { password });
  await ask("DELETE", "/me/passkeys/none");
  await ask("POST", "/me/recovery-codes", {});
  await ask("DELETE", "/me/sessions/none");
  await ask("POST", "/me/show-as", { person_id: 999999 });
  await ask("POST", "/links/look", { secret: "0123456789abcdef0123456789abcdef" });
  await ask("POST", "/links", { secret: "0123456789abcdef0123456789abcdef", password: "Summer-is-9" });
  await ask("POST", "/first-account", { secret: "0123456789abcdef0123456789abcdef", name: "second", password: "Summer-is-9" });
  await ask("POST", "/audit/reviews", { up_to: 999999999, note: "" });
  return told;
}

it("the fixture takes changes as the program does, and refuses what it refuses", async () => {
  const theirs = await changes(program, administrator.password);
  const ours = await changes(made, People.password);
  const cameOf = ({ status, body }: Told) => (status < 400 ? `${status}` : `${status} ${String(body["code"])}`);
  const wrong = theirs.flatMap((their, i) => {
    const our = ours[i]!;
    if (cameOf(our) !== cameOf(their)) return [`${their.what}: ${cameOf(our)} in the fixture, ${cameOf(their)} in the program`];
    return their.status < 400 ? differences(shapeOf(their.body), shapeOf(our.body)).map((d) => `${their.what}: ${d}`) : [];
  });
  expect(wrong).toEqual([]);
});
