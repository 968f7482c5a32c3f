import { may } from "../fleet/fleet";
import { path } from "../router";
import { t, type Key } from "../words/messages";

/** The pages about who may do what, for whoever may see them. */
export function peoplePages(): { path: string; key: Key }[] {
  const all: { path: string; key: Key; shown: boolean }[] = [
    { path: "/people", key: "nav.people", shown: may("person.read") },
    { path: "/roles", key: "nav.roles", shown: may("person.read") || may("role.change") },
    { path: "/tokens", key: "nav.tokens", shown: may("token.read") },
    { path: "/usage", key: "nav.usage", shown: may("usage.read") },
  ];
  return all.filter((p) => p.shown);
}

/** The line that leads from one of these pages to the others. */
export function PeopleNav() {
  const pages = peoplePages();
  if (pages.length < 2) return null;
  return (
    <nav class="subnav" aria-label={t("people.nav")}>
      {pages.map((p) => (
        <a key={p.path} href={p.path} {...(path.value.startsWith(p.path) ? { "aria-current": "page" as const } : {})}>
          {t(p.key)}
        </a>
      ))}
    </nav>
  );
}
