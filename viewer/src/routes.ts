// Every address of the viewer, in one place: the pages are found by it, and the tests walk all of it.

/** The addresses of the pages; what begins with a colon stands for an id or a day. */
export const routes = {
  overview: "/",
  places: "/places",
  place: "/places/:id",
  organizations: "/organizations",
  newDevices: "/new",
  devices: "/devices",
  device: "/devices/:id",
  quarantine: "/devices/:id/quarantine",
  completeness: "/completeness",
  completenessDay: "/completeness/:id/:day",
  proof: "/proof",
  audit: "/audit",
  people: "/people",
  person: "/people/:id",
  roles: "/roles",
  tokens: "/tokens",
  usage: "/usage",
  server: "/server",
  account: "/account",
} as const;

export type RouteName = keyof typeof routes;

/** What an address names. */
export interface Route {
  name: RouteName;
  id: number;
  day: string;
}

const shapes = { ":id": String.raw`(?<id>\d{1,15})`, ":day": String.raw`(?<day>\d{4}-\d\d-\d\d)` };

const patterns = (Object.entries(routes) as [RouteName, string][]).map(([name, route]) => ({
  name,
  pattern: new RegExp(`^${route.replace(/:\w+/g, (part) => shapes[part as keyof typeof shapes])}$`),
}));

/** Finds the page of a path; null where there is none. */
export function routeOf(path: string): Route | null {
  const at = path === "/index.html" ? routes.overview : path;
  for (const { name, pattern } of patterns) {
    const found = pattern.exec(at);
    if (found) return { name, id: Number(found.groups?.["id"] ?? 0), day: found.groups?.["day"] ?? "" };
  }
  return null;
}
